import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadMessages } from '../../../platform/grpc/contract.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import { pageMessage, pageMessages, withoutLastRow } from './page-answer.ts';
import { decodePage } from './page.test-kit.ts';

const queryResult = loadMessages().lookupType('holdfast.v1.QueryResult');
const encode = (message: object): Buffer =>
  Buffer.from(queryResult.encode(queryResult.fromObject(message)).finish());

const columns = [{ name: 'a', typeOid: 25, typeModifier: -1 }];
type Row = readonly (string | null)[];
const cellsOf = (row: Row) => ({ cells: row.map((text) => (text === null ? {} : { text })) });

/** As a connection cuts them: columns first, the tail last, perhaps in a part without rows. */
function partsOf(rows: readonly Row[], cuts: readonly number[]): Buffer[] {
  const borders = [
    0,
    ...cuts.map((cut) => cut % (rows.length + 1)).toSorted((a, b) => a - b),
    rows.length,
  ];
  return borders.slice(1).map((border, at) =>
    encode({
      ...(at === 0 ? { columns } : {}),
      rows: rows.slice(borders[at], border).map(cellsOf),
      ...(at === borders.length - 2 ? { rowsAffected: rows.length, command: 'SELECT' } : {}),
    }),
  );
}

const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.nat(40_000).map((length) => 'x'.repeat(length)),
);
const row = fc.array(fc.option(text, { nil: null }), { maxLength: 4 });

test('the last row goes, wherever the cuts are, and the count with it', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (rows, cuts) => {
        const whole = { parts: partsOf(rows, cuts), rows: rows.length, command: 'SELECT' };
        const parts = withoutLastRow(whole);
        const page = { parts, page: 2, pageSize: 9, hasMore: true, total: 2 ** 40 };
        const expected = {
          columns: ['a'],
          rows: rows.slice(0, -1),
          rowsAffected: String(rows.length - 1),
          command: 'SELECT',
          page: 2,
          pageSize: 9,
          hasMore: true,
          total: String(2 ** 40),
        };
        expect(decodePage(new Encoded(pageMessage(page)))).toEqual(expected);
        expect(decodePage(new Encoded(...pageMessages(page)))).toEqual(expected);
        expect(pageMessages(page)).toHaveLength(parts.length);
      },
    ),
    { numRuns: 200 },
  );
});

test('a result without rows has no last row', () => {
  expect(() => withoutLastRow({ parts: partsOf([], []), rows: 0, command: 'SELECT' })).toThrow(
    'cannot lose one',
  );
});

test.each([0, 1, 127, 128, 300, 2 ** 31, 2 ** 32, 2 ** 53 - 1])('a total of %d', (total) => {
  const page = { parts: partsOf([], []), page: 1, pageSize: 1, hasMore: false, total };
  expect(decodePage(new Encoded(pageMessage(page))).total).toBe(String(total));
});

test('a total that nobody asked for is absent, not zero', () => {
  const page = { parts: partsOf([], []), page: 1, pageSize: 1, hasMore: false, total: undefined };
  expect(decodePage(new Encoded(pageMessage(page)))).not.toHaveProperty('total');
});
