import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { BeginOptions } from './begin-statement.ts';
import { aCall, beside, firstCells, openDatabase, plainBegin } from './database.test-kit.ts';

// That a transaction is asked for its id may not be noticed by anybody in it.

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
  await beside(server.url, (client) =>
    client.query('create table first (n int); create table second (n int)'),
  );
});
afterAll(() => server.drop());

const options: BeginOptions = { ...plainBegin, isolation: 'repeatable read' };
const statement = (sql: string) => ({ sql, params: [] });

test.each(['lock table first', 'savepoint', 'set'])(
  'a snapshot is taken after what has to precede it: %s',
  async (before) => {
    const pool = openDatabase(server.url);
    await beside(server.url, (client) => client.query('truncate second'));
    const transaction = pool.database.begin(options, aCall());
    if (before === 'savepoint') await transaction.control('SAVEPOINT "a"', aCall());
    else if (before === 'set') await transaction.query(statement(`set local a.b = 'c'`), aCall());
    else await transaction.query(statement(before), aCall());
    await beside(server.url, (client) => client.query('insert into second values (1)'));
    await transaction.query(statement('lock table second'), aCall());
    const seen = await transaction.query(statement('select count(*) from second'), aCall());
    expect(firstCells(seen)).toEqual(['1']);
    await transaction.rollback();
    await pool.close();
  },
);

test('the log of slow statements names the statement, not the question behind it', async () => {
  const pool = openDatabase(server.url, { slowStatementMs: 100 });
  const slow = 'insert into first select 500 from pg_sleep(0.2)';
  const transaction = pool.database.begin({ ...options, isolation: 'default' }, aCall());
  await transaction.query(statement(slow), aCall());
  await transaction.commit(aCall());
  expect(pool.slow).toEqual([slow]);
  await pool.close();
});

test('a role that may not ask is not asked', async () => {
  await beside(server.url, (client) =>
    client.query(`create role question_login login password 'x'; create role question_tenant; grant question_tenant to question_login;
      revoke execute on function pg_control_system() from public; grant execute on function pg_control_system() to question_login;
      grant all on first to question_tenant`),
  );
  const url = new URL(server.url);
  url.username = 'question_login';
  url.password = 'x';
  const pool = openDatabase(url.href);
  const transaction = pool.database.begin(options, aCall());
  await transaction.query(statement('set local role question_tenant'), aCall());
  await transaction.query(statement('insert into first values (1)'), aCall());
  await transaction.commit(aCall());
  await pool.close();
  // Nor where nobody may.
  await beside(server.url, (client) =>
    client.query(
      'revoke execute on function pg_control_system() from question_login; grant all on first to question_login',
    ),
  );
  const other = openDatabase(url.href);
  await other.database.atomicBatch([statement('insert into first values (2)')], aCall());
  await other.close();
  const { rows } = await beside(server.url, (client) => client.query('select n from first'));
  expect(rows).toEqual(expect.arrayContaining([{ n: 1 }, { n: 2 }]));
  await beside(server.url, (client) =>
    client.query(`grant execute on function pg_control_system() to public;
      revoke all on first from question_tenant, question_login; drop role question_login; drop role question_tenant`),
  );
});
