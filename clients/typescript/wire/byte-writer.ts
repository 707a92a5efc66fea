import { HoldfastError } from '../errors.ts';

/** Strings up to here are written byte by byte, which is cheaper than a call to native code. */
const shortString = 48;

/**
 * Protobuf bytes in the making, in one buffer that grows and is used again. Fields are written in the order of their numbers by its callers.
 *
 * The length of a nested message stands before it and is not known until it ends: `begin` leaves one byte for it, `finish` fills it in
 * and makes room in the rare case that one byte is not enough.
 */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(16 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Drops everything from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A copy of the bytes from `start` up to `end`. */
  copy(start: number, end: number = this.#length): Buffer {
    const taken = Buffer.allocUnsafe(end - start);
    this.#bytes.copy(taken, 0, start, end);
    return taken;
  }

  /** A copy of the first `end` bytes, which are then dropped. */
  take(end: number = this.#length): Buffer {
    const taken = this.copy(0, end);
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
    // One large request must not keep its memory for ever.
    if (this.#length === 0 && this.#bytes.length > 1024 * 1024) {
      this.#bytes = Buffer.allocUnsafeSlow(16 * 1024);
    }
    return taken;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** An unsigned integer of at most 32 bits. */
  varint(value: number): void {
    this.#reserve(5);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  /** An integer that a double holds exactly, as int64. */
  int64(value: number): void {
    if (value >= 0 && value <= 0xffff_ffff) this.varint(value);
    else this.#varint64(value >>> 0, Math.floor(value / 0x1_0000_0000) >>> 0);
  }

  /** A bigint within the range of int64. */
  bigint64(value: bigint): void {
    this.#varint64(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  raw(bytes: Uint8Array): void {
    const size = bytes.length;
    this.#reserve(size);
    this.#bytes.set(bytes, this.#length);
    this.#length += size;
  }

  /** Length and bytes of a field of type bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** Length and bytes of a field of type string. A lone surrogate is refused: UTF-8 would replace it without a word. */
  string(value: string): void {
    const units = value.length;
    if (units <= shortString && this.#shortAscii(value, units)) return;
    if (!value.isWellFormed()) {
      throw HoldfastError.invalid('a text holds half a surrogate pair, which UTF-8 cannot carry');
    }
    const size = Buffer.byteLength(value);
    this.varint(size);
    this.#reserve(size);
    this.#bytes.write(value, this.#length, size);
    this.#length += size;
  }

  /** Starts a nested message; give the result to `finish`. */
  begin(): number {
    this.byte(0);
    return this.#length;
  }

  finish(start: number): void {
    const size = this.#length - start;
    if (size < 0x80) {
      this.#bytes[start - 1] = size;
      return;
    }
    const room = size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4;
    this.#reserve(room);
    this.#bytes.copyWithin(start + room, start, this.#length);
    this.#length = start - 1;
    this.varint(size);
    this.#length += size;
  }

  #shortAscii(value: string, units: number): boolean {
    this.#reserve(units + 1);
    const bytes = this.#bytes;
    const start = this.#length + 1;
    for (let index = 0; index < units; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    bytes[start - 1] = units;
    this.#length = start + units;
    return true;
  }

  #varint64(low: number, high: number): void {
    this.#reserve(10);
    const bytes = this.#bytes;
    let at = this.#length;
    let lo = low;
    let hi = high;
    while (hi !== 0 || lo > 0x7f) {
      bytes[at++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    bytes[at++] = lo;
    this.#length = at;
  }

  #reserve(size: number): void {
    if (this.#length + size > this.#bytes.length) this.#grow(size);
  }

  #grow(size: number): void {
    const roomier = Buffer.allocUnsafeSlow(Math.max(this.#length + size, 2 * this.#bytes.length));
    this.#bytes.copy(roomier, 0, 0, this.#length);
    this.#bytes = roomier;
  }
}
