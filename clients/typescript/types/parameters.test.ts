import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../wire/byte-writer.ts';
import { decodeMessage } from '../wire/contract.ts';
import { parseArray } from './array-text.ts';
import { writeValue } from './parameters.ts';

/** The Value that is sent for a parameter, without its name. */
function sent(value: unknown): unknown {
  const writer = new ByteWriter();
  writeValue(writer, value);
  const bytes = writer.take();
  const message = decodeMessage('holdfast.v1.Value', bytes.subarray(bytes.length > 128 ? 2 : 1));
  return Object.entries(message);
}

test.each([
  [null, [['null', 'NULL']]],
  [true, [['bool', true]]],
  [-1, [['int', -1]]],
  [0.5, [['double', 0.5]]],
  [-0, [['text', '-0']]],
  [Number.NaN, [['double', Number.NaN]]],
  [-Infinity, [['double', -Infinity]]],
  [2 ** 53, [['double', 2 ** 53]]],
  [5n, [['int', 5]]],
  [2n ** 63n, [['text', '9223372036854775808']]],
  ['', [['text', '']]],
  [new Uint8Array([1, 2]), [['bytes', Buffer.from([1, 2])]]],
  [new Date('2026-01-31T12:00:00.5Z'), [['text', '2026-01-31T12:00:00.500Z']]],
  [new Date('+012026-01-31T12:00:00Z'), [['text', '12026-01-31T12:00:00.000Z']]],
  [new Date('-000043-03-15T12:00:00Z'), [['text', '0044-03-15T12:00:00.000Z BC']]],
  [[], [['text', '{}']]],
  [[1, null, 'a b', 'NULL', ''], [['text', '{1,NULL,"a b","NULL",""}']]],
  [
    [
      [1.5, true],
      [-0, 7n],
    ],
    [['text', '{{1.5,true},{-0,7}}']],
  ],
  [[Buffer.from([255]), 'q"\\'], [['text', String.raw`{"\\xff","q\"\\"}`]]],
  [[{ a: 'b' }], [['text', String.raw`{"{\"a\":\"b\"}"}`]]],
  [{ a: [1] }, [['text', '{"a":[1]}']]],
])('%o is sent as %o', (value, entries) => {
  expect(sent(value)).toEqual(entries);
});

test.each([
  [undefined],
  [() => 1],
  [Symbol('s')],
  [[1, undefined]],
  // oxlint-disable-next-line no-sparse-arrays
  [[1, , 2]],
  [new Date(Number.NaN)],
  [new Float32Array(1)],
  [{ toJSON: () => undefined }],
  ['\ud800'],
])('%s is refused', (value) => {
  expect(() => sent(value)).toThrow(expect.objectContaining({ reason: 'INVALID_REQUEST' }));
});

test('an array of any texts reads back as it was', () => {
  const item = fc.option(fc.string({ unit: 'grapheme', maxLength: 10 }));
  const list = fc.oneof(
    fc.array(item, { maxLength: 10 }),
    fc.array(fc.array(item, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 }),
  );
  fc.assert(
    fc.property(list, (items) => {
      const [[, text]] = sent(items) as [[string, string]];
      expect(parseArray(text, (each) => each)).toEqual(items);
    }),
    { numRuns: 300 },
  );
});
