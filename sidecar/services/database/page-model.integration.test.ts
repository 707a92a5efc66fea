import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PageRequest } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import type { Value } from '../../../platform/gen/holdfast/v1/Value.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import type { Database } from '../../postgres/database.ts';
import { readPageOf } from './page.test-kit.ts';

/** Pages against a model in memory, which filters, sorts and counts an array. */

type Cell = number | string | boolean | null;
type Row = Readonly<Record<string, Cell>>;

let server: TestDatabase;
let sidecar: TestSidecar;
let database: Database;
let client: Client;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client({ connectionString: server.url });
  await client.connect();
  // The key's order is not the columns': `id` goes before `shard`.
  await client.query(`create table things (
    shard int, "count" int, label text collate "C", flag bool, price numeric(6,2), id int,
    primary key (id, shard) include (flag))`);
  sidecar = await startSidecar({ databaseUrl: server.url });
  database = sidecar.app.databases.named('');
});

afterAll(async () => {
  await client.end();
  await sidecar.stop();
  await server.drop();
});

const columns = ['shard', 'count', 'label', 'flag', 'price', 'id'] as const;
const small = fc.integer({ min: -3, max: 3 });
const label = fc.string({ unit: fc.constantFrom('a', 'B', 'b', '%', '_', 'é', "'"), maxLength: 3 });
const cents = fc.integer({ min: -200, max: 200 });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 });

const rows = fc.uniqueArray(
  fc.record({
    shard: fc.integer({ min: 0, max: 3 }),
    count: orNull(small),
    label: orNull(label),
    flag: orNull(fc.boolean()),
    price: orNull(cents.map((value) => value / 100)),
    id: fc.integer({ min: 0, max: 15 }),
  }),
  { maxLength: 40, selector: ({ shard, id }) => `${shard}/${id}` },
);

const sort = fc.array(
  fc.record({
    column: fc.constantFrom(...columns),
    descending: fc.boolean(),
    nulls: fc.constantFrom('NULL_ORDER_UNSPECIFIED', 'NULL_ORDER_FIRST', 'NULL_ORDER_LAST'),
  }),
  { maxLength: 3 },
);
type Sort = typeof sort extends fc.Arbitrary<(infer T)[]> ? T : never;

const comparison = fc.constantFrom('EQ', 'NE', 'LT', 'LE', 'GT', 'GE');
/** Values of a column with the ways a request can spell them. */
const valueOf = {
  shard: small.map((value) => ({ value, sent: { int: value } as Value })),
  id: small.map((value) => ({ value, sent: { text: String(value) } as Value })),
  count: small.map((value) => ({ value, sent: { int: String(value) } as Value })),
  label: label.map((value) => ({ value, sent: { text: value } as Value })),
  flag: fc.boolean().map((value) => ({ value, sent: { bool: value } as Value })),
  price: cents.map((value) => ({ value: value / 100, sent: { double: value / 100 } as Value })),
} satisfies Record<(typeof columns)[number], fc.Arbitrary<{ value: Cell; sent: Value }>>;

interface Filter {
  readonly column: (typeof columns)[number];
  readonly operator: string;
  readonly values: readonly { readonly value: Cell; readonly sent: Value }[];
}

const filter: fc.Arbitrary<Filter> = fc.oneof(
  ...columns.map((column) => {
    const value: fc.Arbitrary<Filter['values'][number]> = valueOf[column];
    return fc.oneof(
      fc.record({ column: fc.constant(column), operator: comparison, values: fc.tuple(value) }),
      fc.record({
        column: fc.constant(column),
        operator: fc.constant('IN'),
        values: fc.array(value, { minLength: 1, maxLength: 4 }),
      }),
      fc.record({
        column: fc.constant(column),
        operator: fc.constantFrom('IS_NULL', 'IS_NOT_NULL'),
        values: fc.constant([]),
      }),
    );
  }),
  fc.record({
    column: fc.constant('label' as const),
    operator: fc.constantFrom('LIKE', 'ILIKE'),
    values: fc.tuple(valueOf.label),
  }),
);

const holds = ({ column, operator, values }: Filter, row: Row): boolean => {
  const cell = row[column] ?? null;
  if (operator === 'IS_NULL') return cell === null;
  if (cell === null) return false;
  const given = values.map(({ value }) => value);
  const order = compare(cell, given[0] ?? null);
  switch (operator) {
    case 'IS_NOT_NULL':
      return true;
    case 'EQ':
      return order === 0;
    case 'NE':
      return order !== 0;
    case 'LT':
      return order < 0;
    case 'LE':
      return order <= 0;
    case 'GT':
      return order > 0;
    case 'GE':
      return order >= 0;
    case 'IN':
      return given.includes(cell);
    default: {
      const pattern = String(given[0]).replaceAll('%', '.*').replaceAll('_', '.');
      return new RegExp(`^${pattern}$`, operator === 'ILIKE' ? 'isu' : 'su').test(String(cell));
    }
  }
};

function compare(a: Cell, b: Cell): number {
  if (a === b || a === null || b === null) return 0;
  return a < b ? -1 : 1;
}

/** As PostgreSQL sorts, the primary key last. */
function sorted(all: readonly Row[], sorts: readonly Sort[]): readonly Row[] {
  const key: Sort[] = ['id' as const, 'shard' as const].map((column) => ({
    column,
    descending: false,
    nulls: 'NULL_ORDER_UNSPECIFIED',
  }));
  return all.toSorted((a, b) => {
    for (const { column, descending, nulls } of [...sorts, ...key]) {
      const [left = null, right = null] = [a[column], b[column]];
      if ((left === null) !== (right === null)) {
        const first =
          nulls === 'NULL_ORDER_FIRST' || (nulls === 'NULL_ORDER_UNSPECIFIED' && descending);
        return (left === null) === first ? -1 : 1;
      }
      const order = compare(left, right);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

/** A cell in PostgreSQL's text format. */
function text(column: string, cell: Cell): string | null {
  if (cell === null) return null;
  if (column === 'price') return (cell as number).toFixed(2);
  if (column === 'flag') return cell === true ? 't' : 'f';
  return String(cell);
}

async function store(all: readonly Row[]): Promise<void> {
  await client.query('truncate things');
  await client.query(
    'insert into things select * from json_populate_recordset(null::things, $1::json)',
    [JSON.stringify(all)],
  );
}

test('pages have the right rows, order, columns, has_more and total, and join to the whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      sort,
      fc.array(filter, { maxLength: 3 }),
      fc.array(fc.constantFrom(...columns), { maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      fc.boolean(),
      async (all, sorts, filters, fields, pageSize, withTotal) => {
        await store(all);
        const matching = sorted(
          all.filter((row) => filters.every((each) => holds(each, row))),
          sorts,
        );
        const shown = fields.length === 0 ? [...columns] : fields;
        const expected = matching.map((row) => shown.map((name) => text(name, row[name] ?? null)));
        const request: PageRequest = {
          table: 'things',
          sort: sorts,
          filters: filters.map(({ column, operator, values }) => ({
            column,
            operator: `FILTER_OPERATOR_${operator}` as 'FILTER_OPERATOR_EQ',
            values: values.map(({ sent }) => sent),
          })),
          fields,
          pageSize,
          withTotal,
        };
        // One page more than there are: it is empty.
        const pages = Math.ceil(expected.length / pageSize) + 1;
        for (let page = 1; page <= pages; page += 1) {
          const slice = expected.slice((page - 1) * pageSize, page * pageSize);
          expect(await readPageOf(database, { ...request, page })).toEqual({
            columns: shown,
            rows: slice,
            rowsAffected: String(slice.length),
            command: 'SELECT',
            page,
            pageSize,
            hasMore: expected.length > page * pageSize,
            ...(withTotal ? { total: String(expected.length) } : {}),
          });
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a table without primary key: every row is on some page when the sort tells rows apart', async () => {
  await client.query('create table loose (n int, t text)');
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer(), { maxLength: 30 }),
      fc.integer({ min: 1, max: 10 }),
      async (numbers, pageSize) => {
        await client.query('truncate loose');
        await client.query('insert into loose select unnest($1::int[])', [numbers]);
        const found: (string | null)[] = [];
        for (let page = 1, more = true; more; page += 1) {
          const request = {
            table: 'loose',
            page,
            pageSize,
            sort: [{ column: 'n' }],
            fields: ['n'],
          };
          const { rows: some, hasMore } = await readPageOf(database, request);
          expect(some.length).toBeLessThanOrEqual(pageSize);
          found.push(...some.map(([cell = null]) => cell));
          more = hasMore;
        }
        expect(found).toEqual(numbers.toSorted((a, b) => a - b).map(String));
      },
    ),
    { numRuns: 30 },
  );
});
