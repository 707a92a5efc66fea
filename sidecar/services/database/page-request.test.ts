import { expect, test } from 'vitest';
import type { PageRequest } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import type { Value } from '../../../platform/gen/holdfast/v1/Value.ts';
import { pageQuery } from './page-request.ts';
import { pageRequest } from './page.test-kit.ts';

const checked = (request: PageRequest) => pageQuery(pageRequest({ table: 't', ...request }));

test('defaults are the first page of fifty rows, all columns, no count', () => {
  expect(checked({})).toEqual({
    table: { schema: undefined, name: 't' },
    page: 1,
    pageSize: 50,
    sort: [],
    filters: [],
    fields: [],
    withTotal: false,
  });
});

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const text = (value: string): Value => ({ text: value });
const eq = (values: Value[]) => ({
  column: 'c',
  operator: 'FILTER_OPERATOR_EQ' as const,
  values,
});

test.each<[string, PageRequest, string]>([
  ['a page of too many rows', { pageSize: 1_001 }, 'page_size is 1001, more than 1000'],
  ['a page too far away', { page: 10_001, pageSize: 1_000 }, 'page * page_size is 10001000'],
  ['the farthest page number', { page: 4_294_967_295 }, 'page * page_size is 214748364750'],
  ['too many sorts', { sort: times(17, { column: 'a' }) }, 'sort has 17 columns, more than 16'],
  ['too many filters', { filters: times(33, eq([text('')])) }, 'filters has 33 conditions'],
  ['too many fields', { fields: times(1_001, 'a') }, 'fields has 1001 columns, more than 1000'],
  [
    'too many values',
    { filters: [{ column: 'c', operator: 7, values: times(65_534, text('')) }] },
    'filters has 65534 values, more than 65533',
  ],
  ['a filter without operator', { filters: [{ column: 'c' }] }, 'filters[0] has no operator'],
  [
    'an operator of a later version',
    { filters: [{ column: 'c', operator: 99 as 1 }] },
    'filters[0].operator has a value that this sidecar does not know',
  ],
  [
    'an order of NULLs of a later version',
    { sort: [{ column: 'c', nulls: 99 as 1 }] },
    'sort[0].nulls has a value that this sidecar does not know',
  ],
  ['no value', { filters: [eq([])] }, 'filters[0] has 0 values; its operator takes one'],
  ['two values', { filters: [eq([text('a'), text('b')])] }, 'filters[0] has 2 values'],
  [
    'an empty IN',
    { filters: [{ column: 'c', operator: 'FILTER_OPERATOR_IN' }] },
    'filters[0] has 0 values; its operator takes one or more',
  ],
  [
    'a value for IS_NULL',
    { filters: [{ column: 'c', operator: 'FILTER_OPERATOR_IS_NULL', values: [text('a')] }] },
    'filters[0] has 1 values; its operator takes none',
  ],
  [
    'two patterns',
    {
      filters: [{ column: 'c', operator: 'FILTER_OPERATOR_LIKE', values: [text('a'), text('b')] }],
    },
    'filters[0] has 2 values; its operator takes one',
  ],
  [
    'a number as pattern',
    { filters: [{ column: 'c', operator: 'FILTER_OPERATOR_ILIKE', values: [{ int: 1 }] }] },
    'filters[0] needs a value of kind text',
  ],
  ['NULL', { filters: [eq([text('a')]), eq([{ null: 'NULL' }])] }, 'filters[1].values[0] is NULL'],
  ['a value without kind', { filters: [eq([{}])] }, 'filters[0].values[0] has no value'],
  [
    'U+0000',
    { filters: [eq([text('a\0b')])] },
    'filters[0].values[0] contains the character U+0000',
  ],
  ['no table', { table: '' }, 'table is empty'],
])('%s is refused', (_what, request, message) => {
  expect(() => checked(request)).toThrow(message);
  expect(() => checked(request)).toThrow(expect.objectContaining({ reason: 'INVALID_REQUEST' }));
});

test('the limits themselves are allowed', () => {
  const filters = times(32, eq([text('a')]));
  const most = { page: 10_000, pageSize: 1_000, sort: times(16, { column: 'a' }), filters };
  expect(checked({ ...most, fields: times(1_000, 'a') })).toMatchObject({ page: 10_000 });
});

test('values of all kinds travel as parameters', () => {
  const values: Value[] = [
    text("it's"),
    { int: '9007199254740993' },
    { double: 1.5 },
    { double: -Infinity },
    { bool: true },
    { bytes: Buffer.from([1, 2]) },
  ];
  const { filters } = checked({
    filters: [{ column: 'c', operator: 'FILTER_OPERATOR_IN', values }],
  });
  expect(filters).toEqual([
    {
      column: 'c',
      operator: 'in',
      values: ["it's", '9007199254740993', '1.5', '-Infinity', 'true', Buffer.from([1, 2])],
    },
  ]);
});
