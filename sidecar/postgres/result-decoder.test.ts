import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { decodeRows } from './result-decoder.ts';

const queryResult = loadMessages().lookupType('holdfast.v1.QueryResult');

const encoded = (rows: readonly (readonly (string | null)[])[], rest: object = {}): Buffer => {
  const message = {
    ...rest,
    rows: rows.map((cells) => ({ cells: cells.map((text) => (text === null ? {} : { text })) })),
  };
  return Buffer.from(queryResult.encode(queryResult.fromObject(message)).finish());
};

const cell = fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }), { nil: null });
const rows = fc.array(fc.array(cell, { maxLength: 8 }), { maxLength: 20 });

test('rows of all parts come back in order, NULL apart from the empty text', () => {
  fc.assert(
    fc.property(fc.array(rows, { maxLength: 4 }), (parts) => {
      const columns = [{ name: 'a', typeOid: 23, typeModifier: -1 }];
      const tail = { rowsAffected: 3, command: 'SELECT' };
      const buffers = parts.map((part, at) =>
        encoded(part, at === 0 ? { columns } : at === parts.length - 1 ? tail : {}),
      );
      expect(decodeRows({ parts: buffers })).toEqual(parts.flat());
    }),
    { numRuns: 200 },
  );
});

test('a result without rows has none', () => {
  expect(decodeRows({ parts: [encoded([], { command: 'CREATE TABLE' })] })).toEqual([]);
  expect(decodeRows({ parts: [] })).toEqual([]);
});
