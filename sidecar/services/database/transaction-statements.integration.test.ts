import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import type { RawSession } from '../../grpc/raw-session.test-kit.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

/** Statements of a transaction on a connection that remembers earlier ones. */

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { min: 1, max: 1 } } });
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  await bed.sql('drop table if exists items; create table items (id int)');
  session = await bed.session();
});
afterEach(async () => {
  session.close();
  await bed.poolWhole();
});

const all = { query: { sql: 'select * from items' } };
const inside = (frame: object) => session.ask({ transactionId: 1, ...frame });

/** Runs it so often that the connection has it prepared. */
async function prepare(): Promise<void> {
  await inside({ begin: {} });
  for (let time = 0; time < 10; time += 1) expect((await inside(all)).kind).toBe('query');
  await inside({ commit: {} });
}

describe('a prepared statement whose table has changed', () => {
  beforeEach(async () => {
    await prepare();
    await bed.sql('alter table items add column name text; insert into items values (1, $$x$$)');
  });

  test('is prepared anew when it is the first of its transaction', async () => {
    await inside({ begin: {} });
    expect((await inside(all)).rows).toEqual([['1', 'x']]);
    await inside({ query: { sql: `insert into items values (2, 'y')` } });
    expect((await inside(all)).rows).toHaveLength(2);
    expect((await inside({ commit: {} })).kind).toBe('commit');
    expect(await bed.count('items')).toBe(2);
  });

  test('fails later in a transaction, which it undoes, and works in the next', async () => {
    await inside({ begin: {} });
    await inside({ query: { sql: `insert into items values (2, 'y')` } });
    const { failure } = await inside(all);
    expect(failure).toMatchObject({ status: 'ABORTED', reason: 'STATEMENT_STALE' });
    expect(failure?.retryAfterMs).toBeGreaterThan(0);
    expect((await inside({ commit: {} })).failure?.reason).toBe('TRANSACTION_ROLLED_BACK');
    await inside({ begin: {} });
    expect((await inside(all)).rows).toEqual([['1', 'x']]);
    await inside({ rollback: {} });
  });
});

describe('what a transaction changed in the session', () => {
  const path = { query: { sql: `select current_setting('search_path')` } };

  test('is gone after its commit, after its rollback, and when it was abandoned', async () => {
    const [[usual]] = (await session.rows(path.query.sql)) as [[string]];
    for (const end of [{ commit: {} }, { rollback: {} }, undefined]) {
      await inside({ begin: {} });
      await inside({ query: { sql: 'set search_path = pg_catalog' } });
      await inside({ query: { sql: 'create temp table mine (id int)' } });
      expect((await inside(path)).rows).toEqual([['pg_catalog']]);
      if (end === undefined) session.close();
      else await inside(end);
      session = end === undefined ? await bed.session() : session;
      expect(await session.rows(path.query.sql)).toEqual([[usual]]);
      const { failure } = await session.ask({ query: { sql: 'table pg_temp.mine' } });
      expect(failure?.metadata['sqlstate']).toMatch(/^(42P01|3F000)$/);
    }
  });
});
