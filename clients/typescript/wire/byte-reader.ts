/** Walks over the bytes of one protobuf message. Throws when they end too early; what is read next is up to its callers. */
export class ByteReader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** An unsigned integer; of a longer one the low 32 bits. */
  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte !== undefined && byte < 0x80) return byte;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (byte === undefined) throw truncated();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      byte = bytes[this.at++];
    }
    throw new Error('malformed message: a number of more than 64 bits');
  }

  /** A uint64 as a number; beyond 2^53 the nearest one. */
  uint64(): number {
    const { low, high } = this.#varint64();
    return high * 0x1_0000_0000 + low;
  }

  /** An int64: a number while a number is exact, a bigint beyond. */
  int64(): number | bigint {
    const { low, high } = this.#varint64();
    const value = (high | 0) * 0x1_0000_0000 + low;
    if (Number.isSafeInteger(value)) return value;
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  }

  /** Reads a length and gives the position where that many bytes end; it lies within `end`. */
  lengthWithin(end: number): number {
    const size = this.varint();
    const stop = this.at + size;
    if (stop > end) throw truncated();
    return stop;
  }

  string(end: number): string {
    const stop = this.lengthWithin(end);
    const text = this.bytes.toString('utf8', this.at, stop);
    this.at = stop;
    return text;
  }

  /** Passes over a field that is not known here. */
  skip(tag: number, end: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.#varint64();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 2) this.at = this.lengthWithin(end);
    else if (wireType === 5) this.at += 4;
    else throw new Error(`malformed message: wire type ${wireType}`);
    if (this.at > end) throw truncated();
  }

  #varint64(): { low: number; high: number } {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw truncated();
      const bits = byte & 0x7f;
      if (shift < 28) {
        low |= bits << shift;
      } else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else {
        high |= bits << (shift - 32);
      }
      if (byte < 0x80) return { low: low >>> 0, high: high >>> 0 };
    }
    throw new Error('malformed message: a number of more than 64 bits');
  }
}

const truncated = (): Error => new Error('malformed message: it ends too early');
