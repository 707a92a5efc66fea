import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RedisServer } from '../../../scripts/servers/redis.ts';
import { type SentinelServers, startSentinel } from '../../../scripts/servers/redis-sentinel.ts';
import {
  claimOf,
  newName,
  openAuthority,
  refusalOf,
  untilAnswers,
  type TestAuthority,
} from './redis-authority.test-kit.ts';

const ttlMs = 8_000;
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

async function asked(
  { url }: RedisServer,
  [name, ...args]: [string, ...string[]],
): Promise<unknown> {
  const redis = new Redis(url);
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}

test('a new master that lost the last writes grants nothing before their end, and knows what it knows', async () => {
  const [known, unknown] = [claimOf(newName(), { ttlMs }), claimOf(newName(), { ttlMs })];
  const { token } = await one.acquire(known);
  const master = await servers.master();
  const [replica] = servers.servers.filter((each) => each !== master);
  if (replica === undefined) throw new Error('there is no replica');
  await sleep(200);
  // Cut off, so that what is written from now on is in no buffer of its either.
  replica.pause();
  await asked(master, ['CLIENT', 'KILL', 'TYPE', 'REPLICA']);
  const lost = await one.acquire(unknown);
  await master.kill();
  replica.resume();
  await servers.failedOver(master);
  expect(await asked(replica, ['EXISTS', `holdfast:lock:{${known.name}}`])).toBe(1);
  expect(await asked(replica, ['EXISTS', `holdfast:lock:{${unknown.name}}`])).toBe(0);
  await Promise.all([one, two].map(untilAnswers));
  expect(await refusalOf(two.acquire(claimOf(unknown.name)))).toBe('LOCKS_SETTLING');
  expect(await refusalOf(two.acquire(claimOf(known.name)))).toBe('LOCKS_SETTLING');
  expect(await one.authority.renew([unknown])).toEqual(['gone']);
  expect(await one.authority.renew([known])).not.toContain('gone');
  const settledFrom = performance.now();
  const next = claimOf(unknown.name, { ttlMs });
  const later = await two.acquire(next, 20_000);
  expect(performance.now() - lost.sentAtMs).toBeGreaterThan(ttlMs);
  expect(performance.now() - settledFrom).toBeLessThan(ttlMs + 1_000);
  expect(later.token).toBeGreaterThan(token);
  expect(later.token).toBeGreaterThan(lost.token);
});
