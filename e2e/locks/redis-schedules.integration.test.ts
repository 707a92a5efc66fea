import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultProxy, proxyTo } from '../../scripts/faults/fault-proxy.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { Lane } from './lane.ts';
import { runSchedules } from './schedules.test-kit.ts';

const sidecars = 3;
const ttlMs = 200;

let redis: RedisServer;
let database: TestDatabase;
let proxies: FaultProxy[];
let lanes: Lane[];
beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), testDatabase()]);
  proxies = [];
  lanes = [];
  for (let nth = 0; nth < 4; nth += 1) {
    const its = await Promise.all(Array.from({ length: sidecars }, () => proxyTo(redis.url)));
    proxies.push(...its);
    const servers = { databaseUrl: database.url, redisUrl: redis.url, proxies: its, ttlMs };
    lanes.push(await Lane.open({ authority: 'Redis', ...servers }));
  }
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
  await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  await redis.stop();
  await database.drop();
});

test(
  '120 random schedules over Redis, with cuts, stalls and deaths: every lock keeps out whom it has to',
  { timeout: 240_000 },
  async () => {
    const seen = await runSchedules({ lanes, schedules: 120, sidecars, ttlMs });
    expect(seen.granted).toBeGreaterThan(1_000);
    expect(seen.contended).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
    expect(seen.lost).toBeGreaterThan(8);
  },
);
