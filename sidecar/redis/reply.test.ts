import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { encodeReply, type Reply } from './reply.ts';

const type = loadMessages().lookupType('holdfast.v1.RedisReply');
const plenty = 64 * 1024 * 1024;

interface Decoded {
  readonly kind?: string;
  readonly null?: string;
  readonly integer?: string;
  readonly bytes?: Buffer;
  readonly array?: { readonly items: readonly Decoded[] };
  readonly error?: string;
}

const decode = (bytes: Uint8Array): Decoded =>
  type.toObject(type.decode(bytes), {
    longs: String,
    enums: String,
    arrays: true,
    oneofs: true,
  });

function fromWire(decoded: Decoded): Reply {
  switch (decoded.kind) {
    case 'null':
      return null;
    case 'integer':
      return String(decoded.integer);
    case 'bytes':
      return Buffer.from(decoded.bytes ?? []);
    case 'error':
      return new Error(decoded.error);
    case 'array':
      return (decoded.array?.items ?? []).map(fromWire);
    default:
      throw new Error(`kind is ${decoded.kind}`);
  }
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const text = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const leaf: fc.Arbitrary<Reply> = fc.oneof(
  text,
  int64,
  fc.integer({ min: -300, max: 300 }).map(String),
  fc.constant(null),
  fc.string({ unit: 'grapheme' }).map((message) => new Error(message)),
);
const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('reply'), { maxLength: 8 }),
  ),
}));

test('a reply arrives as it was, whatever it is', () => {
  fc.assert(
    fc.property(reply, (sent) => {
      expect(fromWire(decode(encodeReply(sent, plenty)))).toEqual(sent);
    }),
    { numRuns: 500 },
  );
});

test.each([
  '0',
  '-1',
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '999999999',
  '1000000000',
  '4294967296',
])('the integer %s', (digits) => {
  expect(decode(encodeReply(digits, plenty))).toMatchObject({ kind: 'integer', integer: digits });
});

test('an empty text and an empty array are no nulls', () => {
  expect(decode(encodeReply(Buffer.alloc(0), plenty)).kind).toBe('bytes');
  expect(decode(encodeReply([], plenty))).toMatchObject({ kind: 'array', array: { items: [] } });
  expect(decode(encodeReply(null, plenty))).toMatchObject({ kind: 'null', null: 'NULL' });
});

test('a text of exactly the limit passes, one byte more does not', () => {
  expect(encodeReply(Buffer.alloc(1000), 1000)).toHaveLength(1003);
  expect(() => encodeReply(Buffer.alloc(1001), 1000)).toThrow(/larger than 1000 bytes/);
});

test('an array of more than the limit is refused, many small items too', () => {
  const item = Buffer.alloc(100);
  expect(() =>
    encodeReply(
      Array.from({ length: 11 }, () => item),
      1000,
    ),
  ).toThrow(/larger than 1000 bytes/);
  expect(
    encodeReply(
      Array.from({ length: 10 }, () => item),
      1000,
    ).length,
  ).toBeGreaterThan(1000);
  expect(() =>
    encodeReply(
      Array.from({ length: 10_000 }, () => null),
      1024,
    ),
  ).toThrow(/larger than 1024 bytes/);
});

test('arrays nest as deep as stock readers can follow, and no deeper', () => {
  const nested = (depth: number): Reply => (depth === 0 ? '1' : [nested(depth - 1)]);
  expect(decode(encodeReply(nested(40), plenty)).kind).toBe('array');
  expect(() => encodeReply(nested(41), plenty)).toThrow(/nested deeper than 40/);
});
