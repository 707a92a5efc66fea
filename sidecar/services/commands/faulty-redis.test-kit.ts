import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type FaultProxy, proxyTo } from '../../../scripts/faults/fault-proxy.ts';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import type { RedisOptions } from '../../redis/redis-options.ts';
import { type Commands, openCommands, redisOptions } from './operations.test-kit.ts';

/** A Redis of the file's own, behind a proxy of the test's own. */
export interface FaultyRedis {
  server: RedisServer;
  /** Past the proxy. */
  direct: Redis;
  proxy: FaultProxy;
  /** Through the proxy. */
  redis: Commands;
}

/** Makes and removes all of it around the tests of a file; the fields are there once a test runs. */
export function faultyRedis(): FaultyRedis {
  const all = {} as FaultyRedis;
  beforeAll(async () => {
    all.server = await startRedis();
    all.direct = new Redis(all.server.url);
  });
  afterAll(async () => {
    all.direct.disconnect();
    await all.server.stop();
  });
  beforeEach(async () => {
    all.proxy = await proxyTo(all.server.url);
    all.redis = await openThrough(all.proxy);
  });
  afterEach(async () => {
    await all.redis[Symbol.asyncDispose]();
    await all.proxy[Symbol.asyncDispose]();
  });
  return all;
}

export async function openThrough(
  proxy: FaultProxy,
  more: Partial<RedisOptions> = {},
): Promise<Commands> {
  const opened = await openCommands([redisOptions(`redis://127.0.0.1:${proxy.port}`, more)]);
  await opened.targets.opened();
  return opened;
}

/** Until a command works; how long that took in ms. */
export async function untilUp(commands: Commands): Promise<number> {
  const from = performance.now();
  for (;;) {
    const answer = await commands.command(['PING']).catch(() => undefined);
    if (answer !== undefined) return performance.now() - from;
    await sleep(10);
  }
}

/** Until something holds; looks often. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

let keys = 0;
/** A key that no other test has. */
export const newKey = (): string => `k${(keys += 1)}`;
