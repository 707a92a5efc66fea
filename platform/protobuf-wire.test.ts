import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import {
  lengthDelimited,
  varint64Size,
  varintField,
  varintSize,
  writeVarint,
  writeVarint64,
} from './protobuf-wire.ts';

const uint32 = fc.oneof(
  fc.nat(0xffff_ffff),
  fc.constantFrom(0, 127, 128, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 0xfff_ffff, 0x1000_0000),
  fc.constant(0xffff_ffff),
);
const field = fc.integer({ min: 1, max: 511 });

test('a varint is written as a stock library writes it, in the bytes that were announced', () => {
  fc.assert(
    fc.property(uint32, fc.nat(10), (value, at) => {
      const out = Buffer.alloc(at + 5);
      const end = writeVarint(out, at, value);
      expect(end - at).toBe(varintSize(value));
      expect(out.subarray(at, end)).toEqual(
        Buffer.from(protobuf.Writer.create().uint32(value).finish()),
      );
    }),
    { numRuns: 1_000 },
  );
});

test('fields are written as a stock library writes them, whatever pieces their content has', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
  fc.assert(
    fc.property(field, pieces, uint32, (field, pieces, value) => {
      const whole = protobuf.Writer.create()
        .uint32((field << 3) | 2)
        .bytes(Buffer.concat(pieces));
      expect(lengthDelimited(field, ...pieces)).toEqual(Buffer.from(whole.finish()));
      const number = protobuf.Writer.create()
        .uint32(field << 3)
        .uint32(value);
      expect(varintField(field, value)).toEqual(Buffer.from(number.finish()));
    }),
    { numRuns: 300 },
  );
});

test('so is one of 64 bits', () => {
  const edges = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
  const uint64 = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.constantFrom(0n, (1n << 64n) - 1n, ...edges, ...edges.map((edge) => edge - 1n)),
  );
  fc.assert(
    fc.property(uint64, fc.nat(10), (value, at) => {
      const out = Buffer.alloc(at + 10);
      const end = writeVarint64(out, at, value);
      expect(end - at).toBe(varint64Size(value));
      const bytes = out.subarray(at, end);
      const read = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
      expect(read).toBe(value);
      expect(bytes.findIndex((byte) => byte < 0x80)).toBe(bytes.length - 1);
    }),
    { numRuns: 500 },
  );
});
