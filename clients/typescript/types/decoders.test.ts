import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellDecoder, textDecoder, toDate, type TypeDecoders } from './decoders.ts';
import { oids } from './oids.ts';

/** Decodes a cell in the midst of other bytes, as it comes in a message. */
function decode(typeOid: number, text: string, types: TypeDecoders = {}): unknown {
  const bytes = Buffer.from(`..${text}..`);
  return cellDecoder(typeOid, types)(bytes, 2, bytes.length - 2);
}

test.each([
  [oids.bool, 't', true],
  [oids.bool, 'f', false],
  [oids.int2, '-32768', -32_768],
  [oids.int4, '2147483647', 2_147_483_647],
  [oids.oid, '4294967295', 4_294_967_295],
  [oids.int8, '-9223372036854775808', -(2n ** 63n)],
  [oids.int8, '0', 0n],
  [oids.float8, 'NaN', Number.NaN],
  [oids.float8, '-Infinity', -Infinity],
  [oids.float8, '-0', -0],
  [oids.float4, '1.5e+10', 1.5e10],
  [oids.numeric, '1.10', '1.10'],
  [oids.numeric, 'NaN', 'NaN'],
  [oids.text, 'ä€😀', 'ä€😀'],
  [oids.text, '', ''],
  [oids.uuid, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  [oids.json, '{"a":[1,null]}', { a: [1, null] }],
  [oids.jsonb, '"x"', 'x'],
  [oids.timestamptz, '2026-01-31 12:00:00.123456+00', '2026-01-31 12:00:00.123456+00'],
  [oids.bytea, String.raw`\x00ff`, Buffer.from([0, 255])],
  [oids.bytea, String.raw`\x`, Buffer.alloc(0)],
  [oids.bytea, String.raw`a\\b\000\377`, Buffer.from([97, 92, 98, 0, 255])],
  [1016, '{1,NULL}', [1n, null]],
  [1000, '{{t},{f}}', [[true], [false]]],
  [3807, String.raw`{"{\"a\": 1}"}`, [{ a: 1 }]],
  [1231, '{1.0,NaN}', ['1.0', 'NaN']],
  [99_999, '(1,"a b")', '(1,"a b")'],
])('type %i: %s', (typeOid, text, value) => {
  expect(decode(typeOid, text)).toEqual(value);
});

test('integers from bytes are what integers from text are', () => {
  const cases: [number, fc.Arbitrary<number | bigint>][] = [
    [oids.int4, fc.integer()],
    [oids.oid, fc.nat(0xffff_ffff)],
    [oids.int8, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ];
  for (const [typeOid, values] of cases) {
    fc.assert(
      fc.property(values, (value) => {
        const text = String(value);
        expect(decode(typeOid, text)).toBe(textDecoder(typeOid, {})?.(text));
        expect(decode(typeOid, text)).toBe(value);
      }),
      { numRuns: 200 },
    );
  }
});

test("a caller's decoder goes before the built-in one, inside arrays too", () => {
  const types = { [oids.int8]: Number, [oids.numeric]: Number, [oids.timestamptz]: toDate };
  expect(decode(oids.int8, '5', types)).toBe(5);
  expect(decode(1016, '{5,6}', types)).toEqual([5, 6]);
  expect(decode(1185, '{"2026-01-31 12:00:00+00"}', types)).toEqual([
    new Date('2026-01-31T12:00:00Z'),
  ]);
  expect(decode(1016, '{5}', { 1016: (text: string) => text })).toBe('{5}');
});

test.each([
  ['2026-01-31 12:00:00+00', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31 12:00:00.123999+00', '2026-01-31T12:00:00.123Z'],
  ['2026-01-31 12:00:00.5', '2026-01-31T12:00:00.500Z'],
  ['2026-01-31 12:00:00+05:30', '2026-01-31T06:30:00.000Z'],
  ['2026-01-31 12:00:00-03', '2026-01-31T15:00:00.000Z'],
  ['1890-01-01 00:00:00+00:53:28', '1889-12-31T23:06:32.000Z'],
  ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
  ['12026-01-31 12:00:00+00', '+012026-01-31T12:00:00.000Z'],
])('%s as a Date', (text, iso) => {
  expect(toDate(text).toISOString()).toBe(iso);
});

test.each(['infinity', '-infinity', '294276-12-31 23:59:59+00', 'x'])(
  'no Date can hold %s',
  (text) => {
    expect(() => toDate(text)).toThrow('a Date cannot hold');
  },
);
