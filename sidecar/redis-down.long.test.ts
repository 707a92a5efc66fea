import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
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

const roundMs = 1_000;

interface Round {
  readonly queries: number;
  /** Of this process, which is client and sidecar, for each query. */
  readonly cpuUs: number;
}

/** Queries of one round, while others ask Redis in vain or not. */
async function roundOf(forMs: number): Promise<Round> {
  const untilMs = performance.now() + forMs;
  const cpuBefore = process.cpuUsage();
  let queries = 0;
  await Promise.all([
    ...Array.from({ length: 8 }, async () => {
      while (performance.now() < untilMs) {
        await holdfast.database().query('select $1::int', [queries]);
        queries += 1;
      }
    }),
    (async () => {
      while (performance.now() < untilMs) {
        await holdfast
          .redis()
          .command('INCR', 'n')
          .catch(() => {});
        await sleep(5);
      }
    })(),
  ]);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { queries, cpuUs: (user + system) / queries };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

// How near to the quiet rounds it is, `npm run bench -- redis-down` measures: here the machine may be shared.
test('with Redis paused or gone, queries wait for nothing and cost what they cost in the quiet rounds around', async () => {
  await roundOf(2_000);
  const cost: Record<'paused' | 'gone', number[]> = { paused: [], gone: [] };
  const rate: Record<'paused' | 'gone', number[]> = { paused: [], gone: [] };
  let before = await roundOf(roundMs);
  // Rounds take turns, and each is compared with its neighbours: whatever else the machine does hits all of them.
  const compare = async (what: 'paused' | 'gone', mend: () => Promise<void>): Promise<void> => {
    const during = await roundOf(roundMs);
    await mend();
    await sleep(300);
    const after = await roundOf(roundMs);
    cost[what].push(during.cpuUs / ((before.cpuUs + after.cpuUs) / 2));
    rate[what].push(during.queries / ((before.queries + after.queries) / 2));
    before = after;
  };
  for (let round = 0; round < 12; round += 1) {
    redis.pause();
    await compare('paused', async () => redis.resume());
    await redis.kill();
    await compare('gone', () => redis.start());
  }
  expect(median(cost.paused)).toBeLessThan(1.6);
  expect(median(cost.gone)).toBeLessThan(1.6);
  expect(median(rate.paused)).toBeGreaterThan(0.5);
  expect(median(rate.gone)).toBeGreaterThan(0.5);
});
