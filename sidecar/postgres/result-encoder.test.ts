import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { encodeColumns, encodeCommandTag, RowEncoder } from './result-encoder.ts';
import { bodyAt, commandComplete, dataRow, rowDescription } from './server-messages.test-kit.ts';

const queryResult = loadMessages().lookupType('holdfast.v1.QueryResult');
const none = Buffer.alloc(0);

/** What any protobuf library reads from the bytes. */
const decoded = (bytes: Uint8Array): unknown =>
  queryResult.toObject(queryResult.decode(bytes), { longs: String, defaults: true });

const expected = (
  columns: readonly object[],
  rows: readonly (readonly (string | null)[])[],
  rowsAffected: string,
  command: string,
): object => ({
  columns,
  rows: rows.map((cells) => ({ cells: cells.map((text) => (text === null ? {} : { text })) })),
  rowsAffected,
  command,
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }).filter((any) => !any.includes('\0')),
  fc.constant(''),
  fc.nat(20_000).map((length) => 'é'.repeat(length)),
);
const columns = fc.array(
  fc.record({
    name: fc.string({ unit: 'grapheme', maxLength: 63 }).filter((any) => !any.includes('\0')),
    typeOid: fc.nat(0xffff_ffff),
    typeModifier: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  }),
  { maxLength: 6 },
);
const rows = fc.array(fc.array(fc.option(text, { freq: 4 }), { maxLength: 6 }), { maxLength: 8 });

/** The bytes of a message at some place of a buffer, as they come from a socket. */
const placed = (message: Buffer): { bytes: Buffer; start: number } => ({
  bytes: Buffer.concat([Buffer.from('before'), message, Buffer.from('after')]),
  start: 6 + bodyAt,
});

test('any result reads, with a stock protobuf library, as what the server sent', () => {
  fc.assert(
    fc.property(
      columns,
      rows,
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (columns, rows, count) => {
        const encoder = new RowEncoder();
        for (const cells of rows) {
          const { bytes, start } = placed(dataRow(cells));
          encoder.add(bytes, start);
        }
        expect(encoder.rows).toBe(rows.length);
        const { bytes, start } = placed(rowDescription(columns));
        const tail = encodeCommandTag(`INSERT 0 ${count}`);
        const result = encoder.take(encodeColumns(bytes, start), tail.bytes);
        expect(decoded(result)).toEqual(expected(columns, rows, `${count}`, 'INSERT'));
        expect([encoder.rows, encoder.length]).toEqual([0, 0]);
      },
    ),
    { numRuns: 200 },
  );
});

test('a result cut into parts anywhere reads the same when they are joined', () => {
  fc.assert(
    fc.property(columns, rows, fc.array(fc.boolean()), (columns, rows, cuts) => {
      const encoder = new RowEncoder();
      const parts: Buffer[] = [];
      let head: Buffer = encodeColumns(rowDescription(columns), bodyAt);
      rows.forEach((cells, at) => {
        encoder.add(dataRow(cells), bodyAt);
        if (cuts[at] !== true) return;
        parts.push(encoder.take(head, none));
        head = none;
      });
      const tail = encodeCommandTag(`SELECT ${rows.length}`);
      parts.push(encoder.take(head, tail.bytes));
      const whole = expected(columns, rows, `${rows.length}`, 'SELECT');
      expect(decoded(Buffer.concat(parts))).toEqual(whole);
    }),
    { numRuns: 100 },
  );
});

test('what was taken stays as it is when more rows come', () => {
  const encoder = new RowEncoder();
  encoder.add(dataRow(['first']), bodyAt);
  const taken = encoder.take(none, none);
  const before = Buffer.from(taken);
  encoder.add(dataRow(['later']), bodyAt);
  expect(taken).toEqual(before);
});

test('rows that were cleared are in no result, however large they were', () => {
  const encoder = new RowEncoder();
  encoder.add(dataRow(['x'.repeat(3_000_000)]), bodyAt);
  encoder.clear();
  encoder.add(dataRow([null, '']), bodyAt);
  expect(decoded(encoder.take(none, none))).toEqual(expected([], [[null, '']], '0', ''));
});

test.each([
  ['INSERT 0 5', 'INSERT', '5'],
  ['INSERT 0 0', 'INSERT', '0'],
  ['UPDATE 1', 'UPDATE', '1'],
  ['SELECT 9007199254740993', 'SELECT', '9007199254740993'],
  ['MERGE 127', 'MERGE', '127'],
  ['FETCH 128', 'FETCH', '128'],
  ['CREATE TABLE', 'CREATE TABLE', '0'],
  ['REFRESH MATERIALIZED VIEW', 'REFRESH MATERIALIZED VIEW', '0'],
  ['', '', '0'],
])('the tag %j is the command %j with %s rows', (tag, command, rowsAffected) => {
  for (const time of ['first', 'again']) {
    const tail = encodeCommandTag(tag);
    expect([time, tail.command]).toEqual([time, command]);
    expect(decoded(tail.bytes)).toEqual(expected([], [], rowsAffected, command));
  }
});

test('tags are told apart when there were more of them than are kept', () => {
  for (let rows = 1; rows < 2_000; rows += 1) encodeCommandTag(`DELETE ${rows}`);
  const read = commandComplete('DELETE 7').toString('latin1', bodyAt, bodyAt + 8);
  expect(decoded(encodeCommandTag(read).bytes)).toEqual(expected([], [], '7', 'DELETE'));
});
