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
