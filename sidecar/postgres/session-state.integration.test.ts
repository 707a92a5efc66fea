import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { Database } from './database.ts';
import {
  aCall,
  beside,
  firstCells,
  openDatabase,
  rejection,
  serverSessions,
  type TestPool,
} from './database.test-kit.ts';

let server: TestDatabase;
let pool: TestPool;
let database: Database;
beforeAll(async () => {
  server = await testDatabase();
  await beside(server.url, (client) =>
    client.query(`create table items (id int primary key, name text);
                  insert into items select i, 'item ' || i from generate_series(1, 1000) i;
                  create table checked (id int unique deferrable initially deferred)`),
  );
});
afterAll(() => server.drop());
beforeEach(() => {
  pool = openDatabase(server.url, { pool: { max: 4 }, statementTimeoutMs: 2_000 });
  ({ database } = pool);
});
afterEach(async () => {
  await pool.close();
  if ((await serverSessions(server.url)).length > 0) {
    throw new Error('the pool left sessions behind');
  }
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const run = (sql: string, ...params: (string | null)[]) => database.query({ sql, params }, aCall());

describe('what a session remembers', () => {
  const settings = `select current_setting('search_path') || '/' || current_setting('statement_timeout')`;

  test('is wiped after a transaction that changed it', async () => {
    const [before] = firstCells(await run(settings));
    const transaction = database.begin(
      {
        isolation: 'default',
        readOnly: false,
        deferrable: false,
        timeoutMs: 5_000,
        idleTimeoutMs: 5_000,
        onAborted: () => {},
      },
      aCall(),
    );
    await transaction.query({ sql: `set search_path = pg_catalog`, params: [] }, aCall());
    await transaction.query({ sql: `set statement_timeout = 1`, params: [] }, aCall());
    await transaction.commit(aCall());
    await sleep(50);
    for (let time = 0; time < 8; time += 1) {
      expect(firstCells(await run(settings))).toEqual([before]);
    }
  });

  test('is wiped after a statement that changed it by a function', async () => {
    await run(`select set_config('search_path', 'pg_catalog', false)`);
    await run('create temp table mine (a int)');
    await run('select pg_advisory_lock(42)');
    await sleep(50);
    for (let time = 0; time < 8; time += 1) {
      const found = await run(
        `select current_setting('search_path') || coalesce(to_regclass('mine')::text, '')`,
      );
      expect(firstCells(found)).toEqual(['"$user", public']);
    }
    const { rows } = await beside(server.url, (client) =>
      client.query(`select 1 from pg_locks where locktype = 'advisory'`),
    );
    expect(rows).toEqual([]);
  });

  test.each([
    'set search_path = x',
    'RESET ALL',
    'declare c cursor for select 1',
    '/* a */ -- b\n commit',
    'BEGIN',
    'listen x',
    'discard all',
    'copy items to stdout',
    "prepare transaction 'x'",
  ])('cannot be changed by `%s` outside a transaction', async (sql) => {
    expect(await rejection(run(sql))).toMatchObject({
      kind: 'invalid',
      reason: 'STATEMENT_REFUSED',
    });
  });
});
