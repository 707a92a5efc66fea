import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultProxy, proxyTo } from '../../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { Lane } from './lane.ts';
import { runSchedules } from './schedules.test-kit.ts';

const sidecars = 3;
const ttlMs = 250;

let database: TestDatabase;
let proxies: FaultProxy[];
let lanes: Lane[];
beforeAll(async () => {
  database = await testDatabase();
  proxies = [];
  lanes = [];
  for (let nth = 0; nth < 4; nth += 1) {
    const its = await Promise.all(Array.from({ length: sidecars }, () => proxyTo(database.url)));
    proxies.push(...its);
    const servers = { databaseUrl: database.url, redisUrl: undefined, proxies: its, ttlMs };
    lanes.push(await Lane.open({ authority: 'Postgres', ...servers }));
  }
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
  await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
  await database.drop();
});

test(
  '100 random schedules over PostgreSQL, with cuts, stalls and deaths: every lock keeps out whom it has to',
  { timeout: 240_000 },
  async () => {
    const seen = await runSchedules({ lanes, schedules: 100, sidecars, ttlMs });
    expect(seen.granted).toBeGreaterThan(600);
    expect(seen.contended).toBeGreaterThan(80);
    expect(seen.refused).toBeGreaterThan(80);
    expect(seen.lost).toBeGreaterThan(8);
  },
);
