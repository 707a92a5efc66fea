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

/** Queries of one round, while others ask Redis in vain or not. */
async function queriesIn(forMs: number): Promise<number> {
  const untilMs = performance.now() + forMs;
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
  return queries;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

test('with Redis paused or gone, queries run within 10 % of the rate of the quiet rounds around', async () => {
  await queriesIn(2_000);
  // Rounds take turns, and each is compared with its neighbours: whatever else the machine does hits all of them.
  const paused: number[] = [];
  const gone: number[] = [];
  let before = await queriesIn(roundMs);
  const compared = async (during: Promise<number>, mend: () => Promise<void>): Promise<number> => {
    const queries = await during;
    await mend();
    await sleep(300);
    const after = await queriesIn(roundMs);
    const ratio = queries / ((before + after) / 2);
    before = after;
    return ratio;
  };
  for (let round = 0; round < 12; round += 1) {
    redis.pause();
    paused.push(await compared(queriesIn(roundMs), async () => redis.resume()));
    await redis.kill();
    gone.push(await compared(queriesIn(roundMs), () => redis.start()));
  }
  expect(median(paused)).toBeGreaterThan(0.9);
  expect(median(gone)).toBeGreaterThan(0.9);
});
