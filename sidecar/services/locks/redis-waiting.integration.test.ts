import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import {
  cancel,
  claimOf,
  newCall,
  newName,
  openAuthority,
  refusalOf,
  type TestAuthority,
} from './redis-authority.test-kit.ts';

let server: RedisServer;
let direct: Redis;
/** Two sidecars. */
let one: TestAuthority;
let two: TestAuthority;

beforeAll(async () => {
  server = await startRedis();
  direct = new Redis(server.url);
  [one, two] = await Promise.all([openAuthority(server.url), openAuthority(server.url)]);
});
afterAll(async () => {
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  direct.disconnect();
  await server.stop();
});

const keys = (): Promise<string[]> => direct.keys('holdfast:lock:*');

describe('waiting', () => {
  test('a thousand waiters on two sidecars are served in order', async () => {
    const name = newName();
    const ttlMs = 60_000;
    const first = claimOf(name, { ttlMs });
    await one.acquire(first);
    const served: number[] = [];
    const all = [];
    for (let index = 0; index < 1_000; index += 1) {
      const sidecar = index % 2 === 0 ? one : two;
      const claim = claimOf(name, { ttlMs });
      all.push(
        sidecar.acquire(claim, 60_000).then(() => {
          served.push(index);
          return sidecar.authority.release(claim);
        }),
      );
      // The order in which they come is that in which Redis sees them.
      if (index % 20 === 0) await sleep(1);
      while ((await direct.zcard(`holdfast:lock:{${name}}:q`)) <= index) await sleep(0);
    }
    await one.authority.release(first);
    expect(await Promise.all(all)).not.toContain(false);
    expect(served).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(await keys()).toEqual([]);
  });

  test('ends with LOCK_HELD when its time is over, and with its call', async () => {
    const name = newName();
    const first = claimOf(name);
    await one.acquire(first);
    const from = performance.now();
    await expect(two.acquire(claimOf(name), 100)).rejects.toMatchObject({
      reason: 'LOCK_HELD',
      kind: 'conflict',
      metadata: { queue_length: '0' },
    });
    expect(performance.now() - from).toBeGreaterThanOrEqual(100);
    expect(performance.now() - from).toBeLessThan(1_000);
    const call = newCall();
    const waiting = refusalOf(two.acquire(claimOf(name), 5_000, call));
    const atOnce = newCall();
    const refused = refusalOf(two.acquire(claimOf(name), 5_000, atOnce));
    cancel(atOnce);
    expect(await refused).toBe('CANCELLED');
    await sleep(30);
    cancel(call);
    expect(await waiting).toBe('CANCELLED');
    await sleep(30);
    expect((await two.authority.list(name, 1, newCall()))[0]?.waiting).toBe(0);
    expect(await one.authority.release(first)).toBe(true);
    expect(await keys()).toEqual([]);
  });

  test('leaves no key that outlives its holder', async () => {
    const name = newName();
    const [first, next] = [claimOf(name), claimOf(name, { ttlMs: 300 })];
    await one.acquire(first);
    const waiting = two.acquire(next, 5_000);
    await sleep(20);
    await one.authority.release(first);
    await waiting;
    // As long as any lock was ever held.
    expect(await direct.pttl(`holdfast:lock:{${name}}`)).toBeLessThan(61_000);
    await sleep(320);
    expect(await two.authority.release(next)).toBe(false);
    expect(await keys()).toEqual([]);
  });

  test('one who gives up while it is handed to him passes it on', async () => {
    const name = newName();
    const first = claimOf(name);
    await one.acquire(first);
    for (let round = 0; round < 20; round += 1) {
      const call = newCall();
      const leaves = refusalOf(two.acquire(claimOf(name), 5_000, call));
      const next = claimOf(name);
      const stays = one.acquire(next, 5_000);
      await sleep(5);
      void one.authority.release(first);
      await direct.ping();
      cancel(call);
      await leaves;
      await stays;
      await one.authority.release(next);
      await one.acquire(first);
    }
    await one.authority.release(first);
    expect(await keys()).toEqual([]);
  });
});
