import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { aCall, beside, openDatabase, rejection, serverSessions } from './database.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const wait100 = { sql: 'select pg_sleep(0.1)', params: [] };

/** Asks the server again and again until it shows what is expected. */
async function eventually(check: () => Promise<boolean>, withinMs = 5_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms`);
    await sleep(50);
  }
}

test('100 tasks of 100 ms on 40 + 25 connections: no error, never more than 65 sessions, back to the minimum when idle', async () => {
  const pool = openDatabase(server.url, {
    pool: { min: 3, max: 40, overflow: 25, idleTimeoutMs: 1_000 },
  });
  try {
    let most = 0;
    const running = { yes: true };
    const watch = (async () => {
      while (running.yes) {
        most = Math.max(most, (await serverSessions(server.url)).length);
        await sleep(20);
      }
    })();
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        for (let round = 0; round < 3; round += 1) await pool.database.query(wait100, aCall());
      }),
    );
    running.yes = false;
    await watch;
    expect(most).toBeGreaterThan(40);
    expect(most).toBeLessThanOrEqual(65);
    await eventually(async () => (await serverSessions(server.url)).length === 3);
  } finally {
    await pool.close();
  }
});

test('a caller whose time is up while it waits gets POOL_EXHAUSTED with the length of the queue, and leaves nothing behind', async () => {
  const pool = openDatabase(server.url, { pool: { max: 1, acquireTimeoutMs: 200 } });
  try {
    const busy = pool.database.query({ sql: 'select pg_sleep(0.6)', params: [] }, aCall());
    await sleep(50);
    const waiting = [aCall(), aCall(), aCall(100)].map((call) =>
      rejection(pool.database.query(wait100, call)),
    );
    const errors = await Promise.all(waiting);
    for (const error of errors) {
      expect(error).toMatchObject({
        kind: 'exhausted',
        reason: 'POOL_EXHAUSTED',
        target: 'default',
      });
      expect(Number(error.metadata['queue_length'])).toBeGreaterThanOrEqual(0);
      expect(error.retryAfterMs).toBeGreaterThan(0);
    }
    await busy;
    expect(pool.database.pool.counts).toMatchObject({ waiting: 0, lent: 0, idle: 1 });
    await pool.database.query(wait100, aCall());
  } finally {
    await pool.close();
  }
});

describe('a live resize', () => {
  test('up serves those who wait at once', async () => {
    const pool = openDatabase(server.url, { pool: { max: 1 } });
    try {
      const { pool: connections } = pool.database;
      const calls = Array.from({ length: 4 }, () =>
        pool.database.query({ sql: 'select pg_sleep(0.4)', params: [] }, aCall()),
      );
      await sleep(100);
      const before = performance.now();
      connections.resize({ ...connections.options, max: 4 });
      await Promise.all(calls);
      expect(performance.now() - before).toBeLessThan(1_200);
      expect(await serverSessions(server.url)).toHaveLength(4);
    } finally {
      await pool.close();
    }
  });

  test('down kills no work and ends at the new size', async () => {
    const pool = openDatabase(server.url, { pool: { max: 6 } });
    try {
      const { pool: connections } = pool.database;
      const calls = Array.from({ length: 12 }, () =>
        pool.database.query({ sql: 'select pg_sleep(0.3)', params: [] }, aCall()),
      );
      await sleep(100);
      connections.resize({ ...connections.options, max: 2, min: 0 });
      const results = await Promise.all(calls);
      expect(results).toHaveLength(12);
      await eventually(async () => (await serverSessions(server.url)).length <= 2);
    } finally {
      await pool.close();
    }
  });
});

test('an idle connection that the server has ended is replaced, and no caller sees it', async () => {
  const pool = openDatabase(server.url, { pool: { min: 2, max: 2 } });
  try {
    await eventually(async () => pool.database.pool.counts.idle === 2);
    const old = await serverSessions(server.url);
    await beside(server.url, (client) =>
      client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast-test' and datname = current_database()`,
      ),
    );
    await eventually(async () => {
      const now = await serverSessions(server.url);
      return !now.some(({ pid }) => old.some((each) => each.pid === pid));
    });
    const results = await Promise.all(
      Array.from({ length: 8 }, () => pool.database.query(wait100, aCall())),
    );
    expect(results).toHaveLength(8);
  } finally {
    await pool.close();
  }
});

test('a connection older than its lifetime is replaced when it is idle', async () => {
  const pool = openDatabase(server.url, {
    pool: { min: 1, max: 1, maxLifetimeMs: 1_000, lifetimeJitter: 0 },
  });
  try {
    await eventually(async () => (await serverSessions(server.url)).length === 1);
    const pids = new Set<number>();
    await eventually(async () => {
      for (const { pid } of await serverSessions(server.url)) pids.add(pid);
      return pids.size > 1;
    });
    expect(pids.size).toBe(2);
  } finally {
    await pool.close();
  }
});

test('a database that cannot be reached is told in a moment, without the password', async () => {
  const url = new URL(server.url);
  url.port = '1';
  url.password = 'open-sesame';
  const pool = openDatabase(url.href, { pool: { acquireTimeoutMs: 3_000 } });
  try {
    const error = await rejection(pool.database.query(wait100, aCall()));
    expect(error).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.message).not.toContain('open-sesame');
    const again = performance.now();
    await rejection(pool.database.query(wait100, aCall()));
    expect(performance.now() - again).toBeLessThan(1_000);
  } finally {
    await pool.close();
  }
});

test('a database in SQL_ASCII is refused: nobody knows what its text means', async () => {
  const name = `ascii_${process.pid}`;
  await beside(server.url, (client) =>
    client.query(`create database ${name} template template0 encoding 'SQL_ASCII' locale 'C'`),
  );
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const pool = openDatabase(url.href);
  try {
    const error = await rejection(pool.database.query(wait100, aCall()));
    expect(error.message).toContain('SQL_ASCII');
  } finally {
    await pool.close();
    await beside(server.url, (client) => client.query(`drop database ${name} with (force)`));
  }
});
