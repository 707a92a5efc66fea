import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

const read = (writer: ByteWriter): ByteReader => new ByteReader(writer.take());

test('integers, doubles and strings come out as protobuf has them', () => {
  const value = fc.oneof(
    fc.record({ kind: fc.constant('varint' as const), value: fc.nat(0xffff_ffff) }),
    fc.record({ kind: fc.constant('int64' as const), value: fc.maxSafeInteger() }),
    fc.record({ kind: fc.constant('double' as const), value: fc.double() }),
    fc.record({
      kind: fc.constant('string' as const),
      value: fc.string({ unit: 'grapheme', maxLength: 300 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const ours = new ByteWriter();
      const theirs = protobuf.Writer.create();
      for (const each of values) {
        if (each.kind === 'varint') {
          ours.varint(each.value);
          theirs.uint32(each.value);
        } else if (each.kind === 'int64') {
          ours.int64(each.value);
          theirs.int64(each.value);
        } else if (each.kind === 'double') {
          ours.double(each.value);
          theirs.double(each.value);
        } else {
          ours.string(each.value);
          theirs.string(each.value);
        }
      }
      expect(ours.take()).toEqual(Buffer.from(theirs.finish()));
    }),
    { numRuns: 300 },
  );
});

test('64-bit integers come back, as numbers where these are exact', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const writer = new ByteWriter();
      writer.bigint64(value);
      const back = read(writer).int64();
      expect(BigInt(back)).toBe(value);
      expect(typeof back).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
    }),
    { numRuns: 300 },
  );
});

test('a nested message gets its length, however long it is', () => {
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const writer = new ByteWriter();
    const start = writer.begin();
    writer.raw(Buffer.alloc(size, 7));
    writer.finish(start);
    writer.byte(9);
    const reader = read(writer);
    expect(reader.varint()).toBe(size);
    expect(reader.bytes.length - reader.at).toBe(size + 1);
    expect(reader.bytes.at(-1)).toBe(9);
  }
});

test('what is taken is gone and the rest stays', () => {
  const writer = new ByteWriter();
  writer.raw(Buffer.from('first'));
  writer.raw(Buffer.from('second'));
  expect(writer.take(5).toString()).toBe('first');
  expect(writer.length).toBe(6);
  expect(writer.take().toString()).toBe('second');
  expect(writer.length).toBe(0);
});

test('half a surrogate pair is refused', () => {
  const writer = new ByteWriter();
  expect(() => writer.string('a\ud800b')).toThrow('half a surrogate pair');
});

test('bytes that end too early, and numbers without an end, are errors', () => {
  expect(() => new ByteReader(Buffer.from([0x80])).varint()).toThrow('ends too early');
  expect(() => new ByteReader(Buffer.alloc(12, 0xff)).varint()).toThrow('more than 64 bits');
  expect(() => new ByteReader(Buffer.alloc(12, 0xff)).uint64()).toThrow('more than 64 bits');
  expect(() => new ByteReader(Buffer.from([0x80])).uint64()).toThrow('ends too early');
  expect(() => new ByteReader(Buffer.from([5, 1])).string(2)).toThrow('ends too early');
  expect(() => new ByteReader(Buffer.from([1])).skip(0x09, 1)).toThrow('ends too early');
  expect(() => new ByteReader(Buffer.from([1])).skip(0x0b, 1)).toThrow('wire type 3');
});
