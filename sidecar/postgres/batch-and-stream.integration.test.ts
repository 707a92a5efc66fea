import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../platform/errors.ts';
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

describe('a batch', () => {
  const insert = (id: number) => ({
    sql: "insert into items values ($1, 'batch')",
    params: [`${id}`],
  });
  const count = async (): Promise<string | null | undefined> =>
    firstCells(await run(`select count(*) from items where name = 'batch'`))[0];

  test('that is atomic leaves nothing when one statement fails, and names it', async () => {
    const error = await rejection(
      database.atomicBatch([insert(2_001), insert(2_002), insert(1), insert(2_003)], aCall()),
    );
    expect(error).toMatchObject({
      kind: 'already-exists',
      metadata: { sqlstate: '23505', statement: '2', constraint: 'items_pkey' },
    });
    expect(await count()).toBe('0');
  });

  test('that is atomic fails when its commit does', async () => {
    const twice = { sql: 'insert into checked values (1)', params: [] };
    expect(await rejection(database.atomicBatch([twice, twice], aCall()))).toMatchObject({
      kind: 'already-exists',
    });
    expect(firstCells(await run('select count(*) from checked'))).toEqual(['0']);
  });

  test('that is not atomic runs each statement, whatever becomes of the others', async () => {
    const results = await database.looseBatch([insert(3_001), insert(1), insert(3_002)], aCall());
    expect(results.map((result) => result instanceof HoldfastError)).toEqual([false, true, false]);
    expect(await count()).toBe('2');
  });
});

describe('a stream', () => {
  test('reads the server only as fast as its consumer', async () => {
    let parts = 0;
    let going: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      going = resolve;
    });
    const done = database.stream(
      { sql: `select repeat('x', 10000) from generate_series(1, 20000)`, params: [] },
      1_000,
      aCall(),
      async () => {
        parts += 1;
        await gate;
      },
    );
    await sleep(500);
    expect(parts).toBe(1);
    const [session] = await serverSessions(server.url);
    expect(session?.state).toBe('active');
    going();
    await done;
    expect(parts).toBeGreaterThan(500);
  });

  test('is not cut by the statement timeout while its consumer is slow', async () => {
    let rows = 0;
    await database.stream(
      { sql: `select repeat('x', 100000) from generate_series(1, 300)`, params: [] },
      10,
      aCall(),
      async (part) => {
        rows += part.length;
        if (rows < 1_000_000) await sleep(700);
      },
    );
    expect(rows).toBeGreaterThan(300 * 100_000);
  });

  test('ends, with its statement, when its consumer fails', async () => {
    const failing = database.stream(
      { sql: 'select generate_series(1, 100000000)', params: [] },
      1_000,
      aCall(),
      () => Promise.reject(new Error('gone')),
    );
    await rejection(failing);
    await sleep(50);
    expect((await serverSessions(server.url)).filter(({ state }) => state !== 'idle')).toEqual([]);
  });

  test('of a write commits it', async () => {
    await database.stream(
      { sql: `insert into items values (9000, 'streamed') returning id`, params: [] },
      10,
      aCall(),
      async () => {},
    );
    expect(firstCells(await run('select name from items where id = 9000'))).toEqual(['streamed']);
  });
});
