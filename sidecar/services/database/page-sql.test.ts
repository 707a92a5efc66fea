import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FilterOperator } from '../../../platform/gen/holdfast/v1/FilterOperator.ts';
import type { PageRequest } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { profileOf } from '../../postgres/statement-profile.ts';
import { relationSql, type Relation } from './page-relation.ts';
import { pageQuery } from './page-request.ts';
import { pageStatements } from './page-sql.ts';
import { pageRequest } from './page.test-kit.ts';

const orders: Relation = {
  schema: 'sales',
  name: 'orders',
  columns: ['id', 'customer', 'placedAt', 'note'],
  key: ['id'],
};

const written = (request: PageRequest, relation = orders) =>
  pageStatements(pageQuery(pageRequest({ table: 'orders', ...request })), relation);

test('by default: all columns by name, ordered by the primary key', () => {
  expect(written({}).rows).toEqual({
    sql: 'select "id", "customer", "placedAt", "note" from "sales"."orders" order by "id" limit $1 offset $2',
    params: ['51', '0'],
  });
});

test('everything at once', () => {
  const { rows, count, columns } = written({
    page: 3,
    pageSize: 10,
    fields: ['note', 'id', 'note'],
    sort: [
      { column: 'placedAt', descending: true, nulls: 'NULL_ORDER_LAST' },
      { column: 'customer', nulls: 'NULL_ORDER_FIRST' },
    ],
    filters: [
      { column: 'customer', operator: 'FILTER_OPERATOR_IN', values: [{ int: 7 }, { int: 8 }] },
      { column: 'note', operator: 'FILTER_OPERATOR_ILIKE', values: [{ text: '%x%' }] },
      { column: 'placedAt', operator: 'FILTER_OPERATOR_IS_NOT_NULL' },
    ],
  });
  const source =
    ' from "sales"."orders" where "customer" in ($1, $2) and "note" ilike $3 and "placedAt" is not null';
  expect(rows).toEqual({
    sql: `select "note", "id", "note"${source} order by "placedAt" desc nulls last, "customer" nulls first, "id" limit $4 offset $5`,
    params: ['7', '8', '%x%', '11', '20'],
  });
  expect(count).toEqual({ sql: `select count(*)${source}`, params: ['7', '8', '%x%'] });
  expect(columns).toEqual(['note', 'id', 'customer', 'placedAt']);
});

test('columns of the primary key that the sort has already are not added again', () => {
  const relation = { ...orders, key: ['customer', 'id'] };
  const { sql } = written({ sort: [{ column: 'id', descending: true }] }, relation).rows;
  expect(sql).toContain(' order by "id" desc, "customer" limit ');
});

test('without primary key and sort there is no order', () => {
  expect(written({}, { ...orders, key: [] }).rows.sql).not.toContain('order by');
});

test.each<[string, PageRequest, string]>([
  ['fields', { fields: ['id', 'Note'] }, 'fields[1]: "orders" has no column "Note"'],
  ['sort', { sort: [{ column: 'ctid' }] }, 'sort[0].column: "orders" has no column "ctid"'],
  [
    'filters',
    { filters: [{ column: '"id"', operator: 'FILTER_OPERATOR_IS_NULL' }] },
    'filters[0].column: "orders" has no column "?id?"',
  ],
])('a column that the catalogue does not have, in %s', (_where, request, message) => {
  expect(() => written(request)).toThrow(message);
  expect(() => written(request)).toThrow(
    expect.objectContaining({ kind: 'invalid', reason: 'UNKNOWN_IDENTIFIER' }),
  );
});

const evil = fc.constantFrom(
  'a',
  '"',
  "'",
  ';',
  '--',
  '/*',
  '$1',
  '$x$',
  ' ',
  'drop',
  '\\',
  '(',
  ')',
);
const name = fc.array(evil, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
const operators: readonly FilterOperator[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

test('whatever the names and values are, the text is fixed words, quoted names and $n, and it only reads', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
      name,
      name,
      fc.infiniteStream(fc.nat()),
      name,
      (columns, schema, table, choice, value) => {
        const one = <T>(list: readonly T[]): T => list[choice.next().value % list.length] as T;
        const relation = { schema, name: table, columns, key: [one(columns)] };
        const operator = one(operators) as number;
        const values = operator > 9 ? [] : [{ text: value }];
        const { rows, count } = written(
          {
            fields: [one(columns), one(columns)],
            sort: [{ column: one(columns), descending: one([true, false]), nulls: one([0, 1, 2]) }],
            filters: [{ column: one(columns), operator: operator as 1, values }],
          },
          relation,
        );
        for (const { sql } of [rows, count]) {
          const skeleton = sql.replaceAll(/"(?:[^"]|"")+"/g, '@');
          expect(skeleton).toMatch(
            /^select (count\(\*\)|@, @) from @\.@ where @ ([<>=]+ \$1|in \(\$1\)|i?like \$1|is (not )?null)( order by @( desc)?( nulls (first|last))?(, @)? limit \$\d offset \$\d)?$/,
          );
          expect(profileOf(sql)).toMatchObject({ reads: true, refusal: undefined, dirties: false });
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('the question to the catalogue only reads', () => {
  expect(profileOf(relationSql)).toMatchObject({ reads: true, refusal: undefined, dirties: false });
});
