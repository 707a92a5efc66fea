import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Holdfast, type HoldfastError } from '../clients/typescript/index.ts';
import { FaultProxy } from '../scripts/faults/fault-proxy.ts';
import { type RedisServer, startRedis } from '../scripts/servers/redis.ts';
import { connectTo } from '../scripts/servers/template-database.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../sidecar/sidecar.test-kit.ts';

// What docs/failures.md promises, row by row, as an application sees it.

let server: TestDatabase;
let redis: RedisServer;
let proxy: FaultProxy;
let sidecar: TestSidecar;
let holdfast: Holdfast;

beforeAll(async () => {
  server = await testDatabase();
  redis = await startRedis();
  const { hostname, port } = new URL(server.url);
  proxy = await FaultProxy.to({ host: hostname, port: Number(port) }, 'postgresql');
  sidecar = await startSidecar({
    databaseUrl: proxy.through(server.url),
    redisUrl: redis.url,
    postgres: { pool: { min: 0, max: 2, acquireTimeoutMs: 300 } },
  });
  holdfast = connect({ address: sidecar.address, deadlineMs: 5_000 });
  await holdfast.database().query('create table work (id int)');
});
afterAll(async () => {
  await holdfast.close();
  await sidecar.stop();
  await proxy[Symbol.asyncDispose]();
  await redis.stop();
  await server.drop();
});
beforeEach(() => {
  proxy.rule = undefined;
});

const failure = (work: Promise<unknown>): Promise<HoldfastError> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as HoldfastError,
  );
const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${sidecar.app.httpPort}/metrics`)).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => Number(line.split(' ').at(-1)));
  return values.reduce((total, value) => total + value, 0);
};
const onServer = (sql: string): Promise<readonly object[]> =>
  connectTo(server.url, async (client) => (await client.query<object>(sql)).rows);
const openTransactions = `select pid from pg_stat_activity
  where datname = current_database() and state like 'idle in transaction%'`;

test('row "pool exhausted": a caller waits, then learns how many wait and when to try again', async () => {
  const db = holdfast.database();
  const refusals = await metric('holdfast_pool_refused_total');
  const held = await Promise.all([db.begin(), db.begin()]);
  const startedAt = performance.now();
  const errors = await Promise.all([1, 2, 3].map(() => failure(db.query('select 1'))));
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
  for (const error of errors) {
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'POOL_EXHAUSTED' });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(Number(error.metadata['queue_length'])).toBeGreaterThan(0);
  }
  expect(await metric('holdfast_pool_refused_total')).toBe(refusals + 3);
  // One that has a connection in time notices nothing.
  const waiting = db.query('select 1');
  await sleep(100);
  for (const transaction of held) await transaction.rollback();
  await waiting;
});

test('row "connection cut in a statement": what only reads is run again, what writes says that it may have', async () => {
  const db = holdfast.database();
  let cuts = 0;
  proxy.rule = ({ from, type }) => {
    if (from !== 'server' || type !== 'CommandComplete' || cuts > 0) return undefined;
    cuts += 1;
    return { cut: 'before' };
  };
  expect((await db.query<{ n: number }>('select 7 as n')).rows).toEqual([{ n: 7 }]);
  expect(cuts).toBe(1);
  cuts = 0;
  expect(await failure(db.query('insert into work values (1)'))).toMatchObject({
    reason: 'COMMIT_UNKNOWN',
  });
  // In a transaction nothing is repeated, and nothing is left of it.
  const tx = await db.begin();
  cuts = 0;
  await failure(tx.query('insert into work values (2)'));
  expect(await failure(tx.commit())).toMatchObject({ reason: 'TRANSACTION_ROLLED_BACK' });
  expect(await onServer('select from work where id = 2')).toHaveLength(0);
});

test('row "database down / restarting": a call fails fast and says when to try again', async () => {
  const db = holdfast.database();
  await proxy.shut();
  const startedAt = performance.now();
  const errors = await Promise.all(Array.from({ length: 50 }, () => failure(db.query('select 1'))));
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  for (const error of errors) expect(error.code).toBe('UNAVAILABLE');
  expect(await failure(db.query('select 1'))).toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  await proxy.reopen();
  await expect
    .poll(
      () =>
        db.query('select 1').then(
          () => 'well',
          () => 'down',
        ),
      { timeout: 10_000 },
    )
    .toBe('well');
});

test('row "Redis down": its calls fail clearly, PostgreSQL does not notice', async () => {
  const commands = holdfast.redis();
  await commands.command('SET', 'a', '1');
  await redis.kill();
  const reads = Promise.all(
    Array.from({ length: 100 }, () => holdfast.database().query('select 1')),
  );
  await expect
    .poll(() => failure(commands.command('GET', 'a')).then(({ reason }) => reason))
    .toBe('REDIS_UNAVAILABLE');
  expect(await reads).toHaveLength(100);
  await redis.start();
  await expect
    .poll(() => commands.command('PING').catch(() => 'down'), { timeout: 10_000 })
    .toBe('PONG');
});

test('row "app killed": its transactions are rolled back at once', async () => {
  const script = fileURLToPath(new URL('abandoning-app.ts', import.meta.url));
  const app = spawn(process.execPath, [script, sidecar.address], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(app, 'message');
  expect(await onServer(openTransactions)).toHaveLength(2);
  app.kill('SIGKILL');
  await expect.poll(() => onServer(openTransactions), { timeout: 2_000 }).toHaveLength(0);
  expect(await onServer('select from work where id = 99')).toHaveLength(0);
  await holdfast.database().query('select 1');
});
