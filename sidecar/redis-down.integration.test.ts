import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Holdfast, type HoldfastError } from '../clients/typescript/index.ts';
import { type RedisServer, startRedis } from '../scripts/servers/redis.ts';
import { type TestDatabase, testDatabase } from '../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from './sidecar.test-kit.ts';

let database: TestDatabase;
let redis: RedisServer;
let sidecar: TestSidecar;
let holdfast: Holdfast;

beforeAll(async () => {
  database = await testDatabase();
  redis = await startRedis();
  sidecar = await startSidecar({
    databaseUrl: database.url,
    redisUrl: redis.url,
    redis: { commandTimeoutMs: 500 },
  });
  holdfast = connect({ address: sidecar.address });
});
afterAll(async () => {
  await holdfast.close();
  await sidecar.stop();
  await redis.stop();
  await database.drop();
});

/** Queries one after the other, beside a steady stream of Redis calls, all on one session. */
async function load(
  forMs: number,
): Promise<{ queries: number; slowestMs: number; reasons: Set<string> }> {
  const untilMs = performance.now() + forMs;
  const reasons = new Set<string>();
  let queries = 0;
  let slowestMs = 0;
  const querying = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const from = performance.now();
      await holdfast.database().query('select $1::int', [queries]);
      slowestMs = Math.max(slowestMs, performance.now() - from);
      queries += 1;
    }
  };
  const asking = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await holdfast
        .redis()
        .command('INCR', 'n')
        .catch((error: HoldfastError) => reasons.add(error.reason));
      await sleep(2);
    }
  };
  await Promise.all([...Array.from({ length: 4 }, querying), ...Array.from({ length: 8 }, asking)]);
  return { queries, slowestMs, reasons };
}

test('row "Redis down": Redis calls fail clearly; everything on PostgreSQL works', async () => {
  await load(500);
  const quiet = await load(1_500);
  expect(quiet.reasons).toEqual(new Set());
  redis.pause();
  const paused = await load(1_500);
  redis.resume();
  expect([...paused.reasons].toSorted()).toEqual(expect.arrayContaining(['COMMAND_TIMEOUT']));
  await redis.kill();
  const down = await load(1_500);
  expect([...down.reasons]).toContain('REDIS_UNAVAILABLE');
  for (const { queries, slowestMs } of [paused, down]) {
    expect(slowestMs).toBeLessThan(1_000);
    // How many there were is for the long test, which runs alone.
    expect(queries).toBeGreaterThan(0);
  }
  await redis.start();
  await expect.poll(async () => (await load(100)).reasons.size, { timeout: 5_000 }).toBe(0);
});

test('a sidecar that stops ends subscriptions with DRAINING, and does not wait for them', async () => {
  const other = await startSidecar({ databaseUrl: database.url, redisUrl: redis.url });
  await using client = connect({ address: other.address });
  const subscription = client.redis().subscribe({ channels: ['c'] });
  expect((await subscription.next()).value).toEqual({ type: 'subscribed' });
  const ended = subscription.next().catch((error: unknown) => error);
  const from = performance.now();
  await other.stop(5_000);
  expect(await ended).toMatchObject({ reason: 'DRAINING' });
  expect(performance.now() - from).toBeLessThan(3_000);
});
