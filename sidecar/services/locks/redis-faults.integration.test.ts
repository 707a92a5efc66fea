import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FaultProxy, proxyTo } from '../../../scripts/faults/fault-proxy.ts';
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
let proxy: FaultProxy;
let sound: TestAuthority;
/** Behind the proxy. */
let faulty: TestAuthority;

beforeAll(async () => {
  server = await startRedis();
  sound = await openAuthority(server.url);
});
afterAll(async () => {
  await sound[Symbol.asyncDispose]();
  await server.stop();
});
beforeEach(async () => {
  proxy = await proxyTo(server.url);
  faulty = await openAuthority(proxy.through(server.url));
});
afterEach(async () => {
  proxy.release();
  await faulty[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

/** Until so many wait for the lock. */
async function untilWaiting(name: string, count: number): Promise<void> {
  for (;;) {
    const [reading] = await sound.authority.list(name, 1, newCall());
    await sleep(10);
    // The waiter knows it, too, by now.
    if (reading?.waiting === count) return;
  }
}

const sinceMs = (fromMs: number): number => performance.now() - fromMs;

test('a waiter whose sidecar is gone costs the next one nothing', async () => {
  const name = newName();
  const [first, next] = [claimOf(name), claimOf(name)];
  await sound.acquire(first);
  const dead = refusalOf(faulty.acquire(claimOf(name), 3_000));
  await untilWaiting(name, 1);
  const waiting = sound.acquire(next, 5_000);
  await untilWaiting(name, 2);
  await proxy.shut();
  await sleep(50);
  const from = performance.now();
  await sound.authority.release(first);
  await waiting;
  expect(sinceMs(from)).toBeLessThan(800);
  await sound.authority.release(next);
  await proxy.reopen();
  expect(await dead).toBe('granted');
});

test('a waiter whose sidecar is stopped costs the next one a second', async () => {
  const name = newName();
  const [first, next] = [claimOf(name), claimOf(name)];
  await sound.acquire(first);
  const stopped = refusalOf(faulty.acquire(claimOf(name, { ttlMs: 300 }), 10_000));
  await untilWaiting(name, 1);
  const waiting = sound.acquire(next, 5_000);
  await untilWaiting(name, 2);
  proxy.stall();
  const from = performance.now();
  await sound.authority.release(first);
  await waiting;
  expect(sinceMs(from)).toBeGreaterThan(900);
  expect(sinceMs(from)).toBeLessThan(2_000);
  await sound.authority.release(next);
  proxy.release();
  expect(await stopped).toBe('granted');
});

test('two stopped ones in front cost two seconds', async () => {
  const name = newName();
  const [first, next] = [claimOf(name), claimOf(name)];
  await sound.acquire(first);
  const call = newCall();
  const stopped = [1, 2].map(() => refusalOf(faulty.acquire(claimOf(name), 10_000, call)));
  await untilWaiting(name, 2);
  const waiting = sound.acquire(next, 5_000);
  await untilWaiting(name, 3);
  proxy.stall();
  const from = performance.now();
  await sound.authority.release(first);
  await waiting;
  expect(sinceMs(from)).toBeLessThan(3_500);
  cancel(call);
  await Promise.all(stopped);
  await sound.authority.release(next);
});

test('a holder that is gone is followed at the end of its time to live, even a short one behind a long one', async () => {
  const name = newName();
  const [first, next] = [claimOf(name, { ttlMs: 60_000 }), claimOf(name)];
  const short = claimOf(name, { ttlMs: 300 });
  await sound.acquire(first);
  const gone = faulty.acquire(short, 5_000);
  await untilWaiting(name, 1);
  const waiting = sound.acquire(next, 5_000);
  await untilWaiting(name, 2);
  await sound.authority.release(first);
  const { sentAtMs } = await gone;
  await proxy.shut();
  await waiting;
  expect(sinceMs(sentAtMs)).toBeGreaterThan(300);
  expect(sinceMs(sentAtMs)).toBeLessThan(2_000);
  await sound.authority.release(next);
});

test('a waiter that lost its place, and the news, with its connection asks again', async () => {
  const name = newName();
  // Its end is not what makes the waiter look again.
  const [first, next] = [claimOf(name, { ttlMs: 60_000 }), claimOf(name)];
  await sound.acquire(first);
  const waiting = faulty.acquire(next, 10_000);
  await untilWaiting(name, 1);
  await proxy.shut();
  await sound.authority.release(first);
  await sleep(100);
  await proxy.reopen();
  await waiting;
  expect(await faulty.authority.release(next)).toBe(true);
});

test('a grant whose answer was lost is asked for again, and is one grant', async () => {
  const claim = claimOf(newName());
  let lost = 0;
  proxy.rule = ({ from, type, text }) => {
    const asks = from === 'client' && type === 'EVALSHA' && text.includes(claim.leaseId);
    if (!asks || lost > 0) return;
    lost += 1;
    return { cutClient: 'after' };
  };
  await faulty.acquire(claim, 3_000);
  expect(lost).toBe(1);
  proxy.rule = undefined;
  expect(await refusalOf(sound.acquire(claimOf(claim.name)))).toBe('LOCK_HELD');
  expect(await faulty.authority.release(claim)).toBe(true);
  expect(await refusalOf(sound.acquire(claimOf(claim.name)))).toBe('granted');
});

test('a grant whose answer was lost, and whose caller has gone, is taken back', async () => {
  const claim = claimOf(newName(), { ttlMs: 30_000 });
  const call = newCall();
  proxy.rule = ({ from, type, text }) => {
    if (from !== 'client' || type !== 'EVALSHA' || !text.includes(claim.leaseId)) return;
    proxy.rule = undefined;
    cancel(call);
    return { cutClient: 'after' };
  };
  expect(await refusalOf(faulty.acquire(claim, 3_000, call))).toBe('CANCELLED');
  const next = claimOf(claim.name);
  await sound.acquire(next, 2_000);
  await sound.authority.release(next);
});

test('a release whose answer was lost was a release', async () => {
  const claim = claimOf(newName());
  await faulty.acquire(claim);
  proxy.rule = ({ from, type, text }) => {
    if (from !== 'client' || type !== 'EVALSHA' || !text.includes(claim.leaseId)) return;
    proxy.rule = undefined;
    return { cutClient: 'after' };
  };
  expect(await faulty.authority.release(claim)).toBe(true);
  expect(await refusalOf(sound.acquire(claimOf(claim.name)))).toBe('granted');
});

test('while Redis is away a request fails at once, a waiter waits, and a release is made up for', async () => {
  const [held, name] = [claimOf(newName(), { ttlMs: 30_000 }), newName()];
  const [first, next] = [claimOf(name), claimOf(name)];
  await faulty.acquire(held);
  await sound.acquire(first);
  const waiting = faulty.acquire(next, 10_000);
  await untilWaiting(name, 1);
  await proxy.shut();
  await sleep(50);
  const from = performance.now();
  expect(await refusalOf(faulty.acquire(claimOf(name), 3_000))).toBe('REDIS_UNAVAILABLE');
  expect(await refusalOf(faulty.authority.release(held))).toBe('REDIS_UNAVAILABLE');
  expect(await refusalOf(faulty.authority.renew([held]))).toBe('REDIS_UNAVAILABLE');
  expect(sinceMs(from)).toBeLessThan(500);
  await proxy.reopen();
  const again = claimOf(held.name);
  await sound.acquire(again, 3_000);
  await sound.authority.release(again);
  await sound.authority.release(first);
  await waiting;
  await faulty.authority.release(next);
});

test('a waiter that nobody knows any more is passed over at once', async () => {
  const name = newName();
  const [first, next] = [claimOf(name), claimOf(name)];
  await sound.acquire(first);
  const call = newCall();
  const gone = refusalOf(faulty.acquire(claimOf(name), 10_000, call));
  await untilWaiting(name, 1);
  const waiting = sound.acquire(next, 5_000);
  await untilWaiting(name, 2);
  // Its withdrawal is lost.
  proxy.rule = ({ from, type }) =>
    from === 'client' && type === 'EVALSHA' ? { instead: Buffer.alloc(0) } : undefined;
  cancel(call);
  await gone;
  await sleep(50);
  proxy.rule = undefined;
  const from = performance.now();
  await sound.authority.release(first);
  await waiting;
  expect(sinceMs(from)).toBeLessThan(800);
  await sound.authority.release(next);
});
