import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HoldfastError } from '../../../platform/errors.ts';
import type { PageRequest } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import { readPageOf, type DecodedPage } from './page.test-kit.ts';

let server: TestDatabase;
let sidecar: TestSidecar;
let limited: TestSidecar;
let client: Client;

const role = `limited_${process.pid}`;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(`
    create table orders (id int primary key, customer text, secret text);
    insert into orders select n, 'c' || n % 3, 's' from generate_series(1, 10) n;
    create view big_orders as select id * 10 as id10, customer from orders where id > 5;
    create materialized view order_copies as select * from orders;
    create table parted (id int, region text, primary key (region, id)) partition by list (region);
    create table parted_eu partition of parted for values in ('eu');
    create table parted_us partition of parted for values in ('us');
    insert into parted values (2, 'us'), (1, 'us'), (1, 'eu');
    create table "MixedCase" ("Id" int primary key, "order" text, "a.b" text, "say ""hi""" text);
    insert into "MixedCase" values (1, 'x', 'y', 'z');
    create schema "my.schema";
    create table "my.schema"."my.table" (id int primary key);
    insert into "my.schema"."my.table" values (7);
    create schema other;
    create table other.orders (only_here int);
    create table other.elsewhere (n int);
    create table nothing ();
    insert into nothing default values;
    create table dropped (a int, gone int, c int);
    alter table dropped drop column gone;
    insert into dropped values (1, 3);
    create sequence a_sequence;
    create type mood as enum ('sad', 'ok', 'happy');
    create domain positive as int check (value > 0);
    create table typed (id int primary key, m mood, d positive, j json, b bytea, at timestamptz, tags text[]);
    insert into typed values
      (1, 'happy', 5, '{}', '\\x0102', '2026-01-31T12:00:00Z', '{a,b}'), (2, 'sad', 6, '[]', '\\x', null, '{}');
    create role ${role} login password 'limited';
    grant usage on schema other to ${role};
    grant select (id, customer) on orders to ${role};
    grant select (customer) on big_orders to ${role};
  `);
  sidecar = await startSidecar({ databaseUrl: server.url });
  const url = new URL(server.url);
  url.username = role;
  url.password = 'limited';
  limited = await startSidecar({ databaseUrl: url.href });
});

afterAll(async () => {
  await sidecar.stop();
  await limited.stop();
  await client.query(`drop owned by ${role}; drop role ${role}`);
  await client.end();
  await server.drop();
});

const read = (request: PageRequest, as = sidecar): Promise<DecodedPage> =>
  readPageOf(as.app.databases.named(''), request);

const refused = (request: PageRequest, as = sidecar): Promise<HoldfastError> =>
  read(request, as).then(
    () => expect.unreachable('the request was not refused'),
    (error: HoldfastError) => error,
  );

const column = (page: DecodedPage, at = 0): (string | null)[] =>
  page.rows.map((row) => row[at] ?? null);

const is = (name: string, value: PageRequest['table'] & string) => ({
  column: name,
  operator: 'FILTER_OPERATOR_EQ' as const,
  values: [{ text: value }],
});

test('views, materialized views and partitioned tables have pages', async () => {
  const sort = [{ column: 'id10', descending: true }];
  expect(column(await read({ table: 'big_orders', sort, pageSize: 2 }))).toEqual(['100', '90']);
  expect((await read({ table: 'order_copies', withTotal: true, pageSize: 3 })).total).toBe('10');
  expect((await read({ table: 'parted' })).rows).toEqual([
    ['1', 'eu'],
    ['1', 'us'],
    ['2', 'us'],
  ]);
});

test('names in mixed case, with dots, quotes and key words', async () => {
  expect(await read({ table: 'MixedCase' })).toMatchObject({
    columns: ['Id', 'order', 'a.b', 'say "hi"'],
    rows: [['1', 'x', 'y', 'z']],
  });
  const fields = ['say "hi"', 'a.b', 'order'];
  expect((await read({ table: 'public.MixedCase', fields })).columns).toEqual(fields);
  expect((await read({ table: '"my.schema"."my.table"' })).rows).toEqual([['7']]);
  expect((await refused({ table: 'mixedcase' })).reason).toBe('UNKNOWN_IDENTIFIER');
});

test('a name that is too long is not cut off to one that exists', async () => {
  const longest = 'é'.repeat(31);
  await client.query(`create table "${longest}" (n int)`);
  expect((await read({ table: longest })).columns).toEqual(['n']);
  expect((await refused({ table: `${longest}é` })).reason).toBe('UNKNOWN_IDENTIFIER');
});

test('columns that the primary key only includes do not order', async () => {
  await client.query('create table keyed (a int, b int, c int, primary key (c, a) include (b))');
  const ran: string[] = [];
  await readPageOf(sidecar.app.databases.named(''), { table: 'keyed' }, ({ sql }) => ran.push(sql));
  expect(ran.at(-1)).toContain(' order by "c", "a" limit ');
});

test('a name without schema goes by the search path, one with a schema does not', async () => {
  expect((await read({ table: 'orders' })).columns).toEqual(['id', 'customer', 'secret']);
  expect((await read({ table: 'other.orders' })).columns).toEqual(['only_here']);
  expect((await refused({ table: 'elsewhere' })).message).toBe(
    'there is no table or view "elsewhere" in the search path',
  );
  expect((await read({ table: 'other.elsewhere' })).columns).toEqual(['n']);
});

test('a table without columns has rows without cells; dropped columns are not shown', async () => {
  expect(await read({ table: 'nothing', withTotal: true })).toMatchObject({
    rows: [[]],
    total: '1',
  });
  expect(await read({ table: 'dropped' })).toMatchObject({
    columns: ['a', 'c'],
    rows: [['1', '3']],
  });
  expect((await refused({ table: 'dropped', fields: ['gone'] })).reason).toBe('UNKNOWN_IDENTIFIER');
});

test.each<[string, PageRequest, string, string]>([
  [
    'a table',
    { table: 'ordres' },
    'there is no table or view "ordres" in the search path',
    'table',
  ],
  [
    'a schema',
    { table: 'Public.orders' },
    'there is no table or view "orders" in schema "Public"',
    'table',
  ],
  ['a sequence', { table: 'a_sequence' }, 'there is no table or view "a_sequence"', 'table'],
  ['an index', { table: 'orders_pkey' }, 'there is no table or view "orders_pkey"', 'table'],
  [
    'a name longer than names are',
    { table: 'x'.repeat(64) },
    `there is no table or view "${'x'.repeat(62)}…"`,
    'table',
  ],
  [
    'a field',
    { table: 'orders', fields: ['id', 'Customer'] },
    'fields[1]: "orders" has no column "Customer"',
    'fields[1]',
  ],
  [
    'a column to sort by',
    { table: 'orders', sort: [{ column: 'xmin' }] },
    'sort[0].column: "orders" has no column "xmin"',
    'sort[0].column',
  ],
  [
    'a column to filter',
    { table: 'orders', filters: [is('id', '1'), is('', '1')] },
    'filters[1].column: "orders" has no column ""',
    'filters[1].column',
  ],
])('%s that is not there is UNKNOWN_IDENTIFIER', async (_what, request, message, field) => {
  const error = await refused(request);
  expect(error).toMatchObject({
    kind: 'invalid',
    reason: 'UNKNOWN_IDENTIFIER',
    metadata: { field },
  });
  expect(error.message).toContain(message);
});

test('a filter compares with the column’s own type', async () => {
  const found = async (filters: PageRequest['filters'] & object): Promise<unknown[]> =>
    column(await read({ table: 'typed', fields: ['id'], filters }));
  expect(await found([is('m', 'happy')])).toEqual(['1']);
  expect(
    await found([{ column: 'm', operator: 'FILTER_OPERATOR_LT', values: [{ text: 'ok' }] }]),
  ).toEqual(['2']);
  expect(
    await found([{ column: 'd', operator: 'FILTER_OPERATOR_GT', values: [{ int: 5 }] }]),
  ).toEqual(['2']);
  const bytes = Buffer.from([1, 2]);
  expect(
    await found([{ column: 'b', operator: 'FILTER_OPERATOR_EQ', values: [{ bytes }] }]),
  ).toEqual(['1']);
  expect(await found([is('at', '2026-01-31 13:00:00+01')])).toEqual(['1']);
  expect(await found([is('tags', '{a,b}')])).toEqual(['1']);
});

test.each<[string, PageRequest, string]>([
  ['a value that is no number', { filters: [is('id', 'one')] }, '22P02'],
  ['a value out of range', { filters: [is('id', '3000000000')] }, '22003'],
  ['a value that the enum lacks', { filters: [is('m', 'angry')] }, '22P02'],
  ['a type without equality', { filters: [is('j', '{}')] }, '42883'],
  ['a type without order', { sort: [{ column: 'j' }] }, '42883'],
  [
    'a pattern on a number',
    { filters: [{ column: 'id', operator: 'FILTER_OPERATOR_LIKE', values: [{ text: '1%' }] }] },
    '42883',
  ],
])('%s is PostgreSQL’s own error', async (_what, request, sqlstate) => {
  const error = await refused({ table: 'typed', ...request });
  expect(error).toMatchObject({
    kind: 'invalid',
    reason: 'DATABASE_ERROR',
    metadata: { sqlstate },
  });
  expect(error.message).not.toContain('angry');
});

test('columns that the role may read have pages, others are refused with what the page needs', async () => {
  const fields = ['customer'];
  expect((await read({ table: 'orders', fields, pageSize: 1 }, limited)).rows).toEqual([['c1']]);
  const error = await refused({ table: 'orders' }, limited);
  expect(error).toMatchObject({ kind: 'forbidden', reason: 'DATABASE_ERROR' });
  expect(error.message).toBe(
    'permission denied for table orders; this page reads the columns "id", "customer", "secret": its fields, those of its filters and sort, and the primary key',
  );
  const filtered = await refused(
    { table: 'orders', fields, filters: [is('secret', 's')] },
    limited,
  );
  expect(filtered.message).toContain('this page reads the columns "customer", "secret", "id"');
  expect((await read({ table: 'big_orders', fields }, limited)).rows).toHaveLength(5);
  expect((await refused({ table: 'other.orders' }, limited)).message).toContain(
    'permission denied for table orders',
  );
});

test('a table in a schema that the role may not use is refused', async () => {
  const error = await refused({ table: '"my.schema"."my.table"' }, limited);
  expect(error).toMatchObject({ kind: 'forbidden', metadata: { sqlstate: '42501' } });
  expect(error.message).toContain('permission denied for schema my.schema');
});

test('many columns are not all told', async () => {
  const columns = Array.from({ length: 30 }, (_, at) => `c${at} int`).join(', ');
  await client.query(`create table wide (${columns})`);
  expect((await refused({ table: 'wide' }, limited)).message).toContain('"c8", "c9" and 20 more:');
});

test('a total never contradicts the rows, when rows come between the two statements', async () => {
  await client.query(
    'create table busy (id int primary key); insert into busy values (1), (2), (3)',
  );
  const between = async (sql: string, request: PageRequest): Promise<DecodedPage> =>
    readPageOf(
      sidecar.app.databases.named(''),
      { table: 'busy', ...request, withTotal: true },
      (statement) => {
        if (statement.sql.includes('count(*)')) changed = client.query(sql);
      },
    );
  let changed: Promise<unknown> = Promise.resolve();
  const shrunk = await between('delete from busy', { pageSize: 2 });
  expect(shrunk).toMatchObject({ hasMore: true });
  expect(Number(shrunk.total)).toBeGreaterThanOrEqual(3);
  await changed;
  const grown = await between('insert into busy select generate_series(1, 100)', {
    page: 5,
    pageSize: 2,
  });
  expect(grown).toMatchObject({ rows: [], hasMore: false });
  expect(Number(grown.total)).toBeLessThanOrEqual(8);
  await changed;
});

test('a new column shows on the next page: nothing is remembered', async () => {
  await client.query('create table growing (a int); insert into growing values (1)');
  expect((await read({ table: 'growing' })).columns).toEqual(['a']);
  await client.query('alter table growing add b text default $$x$$');
  expect(await read({ table: 'growing' })).toMatchObject({
    columns: ['a', 'b'],
    rows: [['1', 'x']],
  });
  await client.query('drop table growing; create view growing as select 5 as five');
  expect(await read({ table: 'growing' })).toMatchObject({ columns: ['five'], rows: [['5']] });
});
