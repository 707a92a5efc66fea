import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SentinelServers, startSentinel } from '../../../scripts/servers/redis-sentinel.ts';
import {
  claimOf,
  newName,
  openAuthority,
  refusalOf,
  untilAnswers,
  type TestAuthority,
} from './redis-authority.test-kit.ts';

const ttlMs = 3_000;
let servers: SentinelServers;
let one: TestAuthority;
let two: TestAuthority;

beforeAll(async () => {
  servers = await startSentinel();
  [one, two] = await Promise.all([
    openAuthority(servers.url, { longestTtlMs: ttlMs }),
    openAuthority(servers.url, { longestTtlMs: ttlMs }),
  ]);
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  await servers.stop();
});

test('a new master that lost the last writes grants nothing before their end, and knows what it knows', async () => {
  const [known, unknown] = [claimOf(newName(), { ttlMs }), claimOf(newName(), { ttlMs })];
  const { token } = await one.acquire(known);
  await sleep(200);
  const master = await servers.master();
  const replica = servers.servers.find((each) => each !== master);
  // What is written from now on is lost.
  replica?.pause();
  const lost = await one.acquire(unknown);
  await master.kill();
  replica?.resume();
  await servers.failedOver(master);
  await Promise.all([one, two].map(untilAnswers));
  expect(await refusalOf(two.acquire(claimOf(unknown.name)))).toBe('LOCKS_SETTLING');
  expect(await refusalOf(two.acquire(claimOf(known.name)))).toBe('LOCKS_SETTLING');
  // The holder hears of it, or its time is over already.
  expect(await one.authority.renew([unknown])).toEqual(['gone']);
  await one.authority.renew([known]);
  const settledFrom = performance.now();
  const next = claimOf(unknown.name, { ttlMs });
  const later = await two.acquire(next, 20_000);
  expect(performance.now() - lost.sentAtMs).toBeGreaterThan(ttlMs);
  expect(performance.now() - settledFrom).toBeLessThan(ttlMs + 1_000);
  expect(later.token).toBeGreaterThan(token);
  expect(later.token).toBeGreaterThan(lost.token);
});
