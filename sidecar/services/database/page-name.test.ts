import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HoldfastError } from '../../../platform/errors.ts';
import { canExist, parseTableName, quoteIdentifier, shownName } from './page-name.ts';

test.each([
  ['orders', undefined, 'orders'],
  ['Orders', undefined, 'Orders'],
  ['sales.orders', 'sales', 'orders'],
  ['"orders"', undefined, 'orders'],
  ['"my.schema"."my.table"', 'my.schema', 'my.table'],
  ['sales."my.table"', 'sales', 'my.table'],
  ['"my.schema".orders', 'my.schema', 'orders'],
  ['"say ""hi"""', undefined, 'say "hi"'],
  ['we"ird', undefined, 'we"ird'],
  [' orders ', undefined, ' orders '],
])('%s is read as it is spelled', (text, schema, name) => {
  expect(parseTableName(text)).toEqual({ schema, name });
});

test.each([
  ['', 'table is empty'],
  ['.', 'table has an empty part'],
  ['orders.', 'table has an empty part'],
  ['.orders', 'table has an empty part'],
  ['sales..orders', 'table has an empty part'],
  ['""', 'table has an empty part'],
  ['sales.""', 'table has an empty part'],
  ['db.sales.orders', 'table has more than two parts'],
  ['"orders', 'table has a quote that is never closed'],
  ['"orders""', 'table has a quote that is never closed'],
  ['"orders"x', 'table goes on after a closing quote'],
  ['"orders" .x', 'table goes on after a closing quote'],
])('%s is refused', (text, message) => {
  expect(() => parseTableName(text)).toThrow(message);
});

const name = fc.string({
  unit: fc.constantFrom('a', 'B', '"', '.', ';', ' ', 'é', '\n'),
  minLength: 1,
});

test('any two names in quotes come back as they were', () => {
  fc.assert(
    fc.property(name, name, (schema, table) => {
      const text = `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
      expect(parseTableName(text)).toEqual({ schema, name: table });
    }),
    { numRuns: 200 },
  );
});

test('any text at all is a name or refused with INVALID_REQUEST', () => {
  const outcome = (text: string): string => {
    try {
      return typeof parseTableName(text).name;
    } catch (error) {
      return (error as HoldfastError).reason;
    }
  };
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      expect(['string', 'INVALID_REQUEST']).toContain(outcome(text));
    }),
    { numRuns: 200 },
  );
});

test('a name of a request is shown short and without signs that mean something elsewhere', () => {
  expect(shownName('x"; drop table y; --')).toBe('"x?? drop table y? --"');
  expect(shownName('größe_$.-')).toBe('"größe_$.-"');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(shownName(text)).toMatch(/^"[\p{L}\p{N}_$.\- ?…]{0,63}"$/u);
    }),
    { numRuns: 200 },
  );
});

test('what PostgreSQL cannot have is known beforehand', () => {
  expect(canExist('a'.repeat(63))).toBe(true);
  expect(canExist('a'.repeat(64))).toBe(false);
  expect(canExist('')).toBe(false);
  expect(canExist('a\0b')).toBe(false);
  expect(canExist('a\ud800b')).toBe(false);
});
