/** Bytes of an unsigned 32-bit integer as a protobuf varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Writes an unsigned 32-bit integer as a protobuf varint; returns where the next byte goes. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  while (rest > 0x7f) {
    out[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[to++] = rest;
  return to;
}

/** Bytes of an unsigned integer up to 2^64 as a protobuf varint. */
export function varint64Size(value: bigint): number {
  let bytes = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) bytes += 1;
  return bytes;
}

/** Writes an unsigned integer up to 2^64 as a protobuf varint; returns where the next byte goes. */
export function writeVarint64(out: Uint8Array, at: number, value: bigint): number {
  let to = at;
  let low = Number(value & 0xfffffffn);
  let high = value >> 28n;
  // Four bytes at a time: a bigint is slow.
  while (high > 0n) {
    for (let each = 0; each < 4; each += 1) {
      out[to++] = (low & 0x7f) | 0x80;
      low >>>= 7;
    }
    low = Number(high & 0xfffffffn);
    high >>= 28n;
  }
  return writeVarint(out, to, low);
}

/** A field that holds a message, a string or bytes; `parts` are the pieces of its content. */
export function lengthDelimited(field: number, ...parts: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  const tag = (field << 3) | 2;
  const out = Buffer.allocUnsafe(varintSize(tag) + varintSize(bytes) + bytes);
  let at = writeVarint(out, writeVarint(out, 0, tag), bytes);
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A field that holds an unsigned 32-bit integer, an enum or a bool. */
export function varintField(field: number, value: number): Buffer {
  const out = Buffer.allocUnsafe(varintSize(field << 3) + varintSize(value));
  writeVarint(out, writeVarint(out, 0, field << 3), value);
  return out;
}
