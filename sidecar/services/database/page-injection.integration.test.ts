import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HoldfastError } from '../../../platform/errors.ts';
import type { PageRequest } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import type { Database } from '../../postgres/database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import { relationSql } from './page-relation.ts';
import { classics, hostileText, storableClassics } from './page-hostile-text.test-kit.ts';
import { readPageOf, type DecodedPage } from './page.test-kit.ts';

/** Hostile text in every place of a request that takes text. */

/** Where a request takes text. A text that is a name by chance, `id` say, is let through. */
const places: Readonly<Record<string, (text: string) => PageRequest>> = {
  table: (text) => ({ table: text }),
  schema: (text) => ({ table: `${text}.accounts` }),
  'schema in quotes': (text) => ({ table: `"${text}".accounts` }),
  'table in quotes': (text) => ({ table: `public."${text}"` }),
  fields: (text) => ({ table: 'accounts', fields: ['id', text] }),
  sort: (text) => ({ table: 'accounts', sort: [{ column: text, descending: true }] }),
  'filter column': (text) => ({
    table: 'accounts',
    filters: [{ column: text, operator: 'FILTER_OPERATOR_EQ', values: [{ text: '1' }] }],
  }),
  'filter value': (text) => ({
    table: 'accounts',
    withTotal: true,
    filters: [{ column: 'name', operator: 'FILTER_OPERATOR_EQ', values: [{ text }] }],
  }),
  'filter value of a number': (text) => ({
    table: 'accounts',
    filters: [{ column: 'id', operator: 'FILTER_OPERATOR_GT', values: [{ text }] }],
  }),
  'filter values': (text) => ({
    table: 'accounts',
    filters: [{ column: 'name', operator: 'FILTER_OPERATOR_IN', values: [{ text }, { text }] }],
  }),
  pattern: (text) => ({
    table: 'accounts',
    filters: [{ column: 'name', operator: 'FILTER_OPERATOR_LIKE', values: [{ text }] }],
  }),
};

/** Any text is a value; elsewhere nearly all of it has to be refused. */
const valuePlaces = new Set(['filter value', 'filter values', 'pattern']);

/** What Page may send about `accounts`: only these names, only these words. */
const column = '"(id|name|balance)"';
const harmless = new RegExp(
  `^select (count\\(\\*\\)|${column}(, ${column})*) from "public"\\."accounts"` +
    `( where ${column} (= \\$1|> \\$1|like \\$1|in \\(\\$1, \\$2\\)))?` +
    `( order by ${column}( desc)?(, "id")? limit \\$\\d offset \\$\\d)?$`,
);

let server: TestDatabase;
let sidecar: TestSidecar;
let database: Database;
let client: Client;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query(
    'create table accounts (id int primary key generated always as identity, name text, balance int)',
  );
  await client.query('insert into accounts (name, balance) select unnest($1::text[]), 100', [
    storableClassics,
  ]);
  sidecar = await startSidecar({ databaseUrl: server.url });
  database = sidecar.app.databases.named('');
});

afterAll(async () => {
  await client.end();
  await sidecar.stop();
  await server.drop();
});

/**
 * Rows, tables, columns, functions, rights and settings: whatever an injection would leave a trace in. Of what the whole server shares only the
 * role that the pool has, because other tests make roles of their own meanwhile.
 */
async function fingerprint(): Promise<unknown> {
  const { rows } = await client.query(`
    select (select md5(string_agg(a::text, ',' order by id)) from accounts a) as rows,
      (select md5(string_agg(c.oid || relname || relnamespace || relfilenode, ',' order by c.oid)) from pg_class c) as relations,
      (select md5(string_agg(attrelid || attname || atttypid, ',' order by attrelid, attnum)) from pg_attribute) as columns,
      (select count(*) from pg_proc) as functions,
      (select count(*) from pg_namespace) as schemas,
      (select md5(r::text) from pg_roles r where rolname = current_user) as role,
      (select count(*) from pg_db_role_setting join pg_database d on d.oid = setdatabase
        where datname = current_database()) as settings`);
  return rows[0];
}

/** Sends one request; collects the SQL that is neither the question to the catalogue nor of the harmless kind. */
async function attempt(
  request: PageRequest,
  strange: string[],
): Promise<DecodedPage | HoldfastError> {
  try {
    return await readPageOf(database, request, ({ sql }) => {
      if (sql !== relationSql && !harmless.test(sql)) strange.push(sql);
    });
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
}

test.each(Object.entries(places))(
  'hostile text as %s is refused or harmless',
  async (place, requestWith) => {
    const before = await fingerprint();
    const strange: string[] = [];
    let refused = 0;
    const tryOut = async (text: string): Promise<void> => {
      const answer = await attempt(requestWith(text), strange);
      if (!(answer instanceof HoldfastError)) return;
      refused += 1;
      expect(answer.kind).toBe('invalid');
      expect(['INVALID_REQUEST', 'UNKNOWN_IDENTIFIER', 'DATABASE_ERROR']).toContain(answer.reason);
      expect(answer.message.length).toBeLessThan(300);
      expect(answer.message).not.toMatch(/drop table accounts;|pg_sleep\(/);
    };
    for (const text of classics) await tryOut(text);
    await fc.assert(fc.asyncProperty(hostileText, tryOut), { numRuns: 200 });
    expect(strange).toEqual([]);
    expect(await fingerprint()).toEqual(before);
    expect(refused).toBeGreaterThanOrEqual(valuePlaces.has(place) ? 0 : 200);
  },
);

test('a filter finds exactly the rows that hold the hostile text', async () => {
  for (const text of storableClassics) {
    const found = (await attempt(places['filter value']?.(text) ?? {}, [])) as DecodedPage;
    expect(found.rows.map(([, name]) => name)).toEqual([text]);
    expect(found.total).toBe('1');
  }
});

test('tables and columns with hostile names are shown like any other', async () => {
  const names = [
    '"; drop table accounts; --',
    "'; --",
    'a.b',
    '$1',
    'select',
    'ÄÖ "quoted"',
    ' ',
    '/*',
    '\\',
  ];
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  await client.query('create schema "x; y"');
  for (const name of names) {
    await client.query(
      `create table "x; y".${quote(name)} (${quote(name)} text primary key, "; commit" int)`,
    );
    await client.query(`insert into "x; y".${quote(name)} values ('a', 1), ('b', 2)`);
    const page = await readPageOf(database, {
      table: `"x; y".${quote(name)}`,
      fields: ['; commit', name],
      sort: [{ column: name, descending: true }],
      filters: [{ column: '; commit', operator: 'FILTER_OPERATOR_GE', values: [{ int: 1 }] }],
      pageSize: 1,
      withTotal: true,
    });
    expect(page).toMatchObject({
      columns: ['; commit', name],
      rows: [['2', 'b']],
      hasMore: true,
      total: '2',
    });
  }
});
