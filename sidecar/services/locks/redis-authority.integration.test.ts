import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import {
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

describe('one holder', () => {
  test('has it until it releases, with a token that grows', async () => {
    const name = newName();
    const [first, second] = [claimOf(name), claimOf(name)];
    const { token } = await one.acquire(first);
    expect(await refusalOf(two.acquire(second))).toBe('LOCK_HELD');
    expect(await two.authority.release(second)).toBe(false);
    expect(await one.authority.release(first)).toBe(true);
    expect(await one.authority.release(first)).toBe(false);
    const later = await two.acquire(second);
    expect(later.token).toBeGreaterThan(token);
    expect(await two.authority.release(second)).toBe(true);
    expect(await keys()).toEqual([]);
  });

  test('loses it at the end of its time to live, not before, and later when it renews', async () => {
    const name = newName();
    const first = claimOf(name, { ttlMs: 300 });
    const { sentAtMs } = await one.acquire(first);
    await sleep(200);
    expect(await one.authority.renew([first])).not.toContain('gone');
    await sleep(200);
    expect(await refusalOf(two.acquire(claimOf(name)))).toBe('LOCK_HELD');
    const second = claimOf(name);
    await two.acquire(second, 2_000);
    const tookMs = performance.now() - sentAtMs;
    expect(tookMs).toBeGreaterThan(500);
    expect(tookMs).toBeLessThan(2_000);
    expect(await one.authority.renew([first])).toEqual(['gone']);
    expect(await one.authority.renew([second])).not.toContain('gone');
    await two.authority.release(second);
  });

  test('is granted once when it asks twice under one lease', async () => {
    const claim = claimOf(newName());
    const first = await one.acquire(claim);
    expect((await one.acquire(claim)).token).toBe(first.token);
    expect(await one.authority.release(claim)).toBe(true);
    expect(await keys()).toEqual([]);
  });
});

describe('an owner', () => {
  test('gets it again on any sidecar, and it is free after as many releases', async () => {
    const name = newName();
    const [first, again, other] = [
      claimOf(name, { owner: 'o 1' }),
      claimOf(name, { owner: 'o 1' }),
      claimOf(name, { owner: 'o 2' }),
    ];
    const { token } = await one.acquire(first);
    const waiting = one.acquire(other, 5_000);
    expect((await two.acquire(again)).token).toBe(token);
    await one.authority.release(first);
    await one.authority.release(first);
    expect(await refusalOf(two.acquire(claimOf(name)))).toBe('LOCK_HELD');
    await two.authority.release(again);
    await waiting;
    await one.authority.release(other);
    expect(await keys()).toEqual([]);
  });

  test('does not wait for itself in another mode', async () => {
    const name = newName();
    const first = claimOf(name, { owner: 'o', mode: 'shared' });
    await one.acquire(first);
    await expect(two.acquire(claimOf(name, { owner: 'o' }), 5_000)).rejects.toThrow(
      `lock "${name}" is held by the same owner in another mode`,
    );
    await one.authority.release(first);
  });

  test('that waits twice gets both when it is its turn', async () => {
    const name = newName();
    const first = claimOf(name);
    await one.acquire(first);
    const [a, b] = [claimOf(name, { owner: 'o' }), claimOf(name, { owner: 'o' })];
    const between = claimOf(name);
    const waiting = [
      one.acquire(a, 5_000),
      one.acquire(between, 5_000),
      two.acquire(b, 5_000),
    ] as const;
    await sleep(50);
    await one.authority.release(first);
    expect((await waiting[0]).token).toBe((await waiting[2]).token);
    await one.authority.release(a);
    await two.authority.release(b);
    await waiting[1];
    await one.authority.release(between);
    expect(await keys()).toEqual([]);
  });

  test('holds it a thousand times at most', async () => {
    const name = newName();
    const claims = Array.from({ length: 1_001 }, () => claimOf(name, { owner: 'o' }));
    const last = claims.pop();
    await Promise.all(claims.map((claim) => one.acquire(claim)));
    await expect(two.acquire(last ?? claimOf(name))).rejects.toThrow('1000 times');
    await Promise.all(claims.map((claim) => two.authority.release(claim)));
    expect(await keys()).toEqual([]);
  });
});

describe('shared and semaphore', () => {
  test('readers hold it together; one that comes after a writer waits behind it', async () => {
    const name = newName();
    const shared = { mode: 'shared' } as const;
    const [a, b, late, writer] = [
      claimOf(name, shared),
      claimOf(name, shared),
      claimOf(name, shared),
      claimOf(name),
    ];
    await one.acquire(a);
    await two.acquire(b);
    const order: string[] = [];
    const writing = one.acquire(writer, 5_000).then(() => order.push('writer'));
    await sleep(30);
    expect(await refusalOf(two.acquire(claimOf(name, shared)))).toBe('LOCK_HELD');
    const reading = two.acquire(late, 5_000).then(() => order.push('reader'));
    await one.authority.release(a);
    await two.authority.release(b);
    await writing;
    await sleep(30);
    expect(order).toEqual(['writer']);
    await one.authority.release(writer);
    await reading;
    await two.authority.release(late);
    expect(await keys()).toEqual([]);
  });

  test('a semaphore has so many holders, and no token', async () => {
    const name = newName();
    const some = Array.from({ length: 4 }, () => claimOf(name, { mode: 'semaphore', permits: 3 }));
    const [a, b, c, d] = some as [
      (typeof some)[0],
      (typeof some)[0],
      (typeof some)[0],
      (typeof some)[0],
    ];
    expect((await one.acquire(a)).token).toBe(0n);
    await one.acquire(b);
    await two.acquire(c);
    expect(await refusalOf(two.acquire(claimOf(name, { mode: 'semaphore', permits: 3 })))).toBe(
      'LOCK_HELD',
    );
    const waiting = two.acquire(d, 5_000);
    await sleep(20);
    await one.authority.release(b);
    await waiting;
    for (const claim of [a, c, d]) await one.authority.release(claim);
    expect(await keys()).toEqual([]);
  });
});

describe('list and force', () => {
  test('lists holders and waiters in byte order of names, whatever is in them', async () => {
    const names = ['p*[a]?\\', 'p*[a]{b}', 'p*[a]é', 'p*[a] \n:q'];
    const claims = names.map((name) =>
      claimOf(name, { mode: 'shared', owner: 'me', ttlMs: 9_000 }),
    );
    for (const claim of claims) await one.acquire(claim);
    const more = claimOf(names[0] ?? '', { mode: 'shared' });
    await two.acquire(more);
    const waiting = two.acquire(claimOf(names[1] ?? ''), 300).catch(() => {});
    await sleep(20);
    const all = await one.authority.list('p*[a]', 10, newCall());
    expect(all.map(({ name }) => name)).toEqual(
      names.toSorted((a, b) => Buffer.from(a).compare(Buffer.from(b))),
    );
    expect(all.find(({ name }) => name === names[1])).toMatchObject({
      mode: 'shared',
      waiting: 1,
      holders: [{ owner: 'me', count: 1 }],
    });
    const [holder] = all.find(({ name }) => name === names[1])?.holders ?? [];
    expect(holder?.expiresInMs).toBeGreaterThan(8_000);
    expect(holder?.expiresInMs).toBeLessThanOrEqual(9_000);
    expect(all.find(({ name }) => name === names[0])?.holders.map(({ owner }) => owner)).toContain(
      '',
    );
    const firstTwo = await one.authority.list('p*[a]', 2, newCall());
    expect(firstTwo.map(({ name }) => name)).toEqual(all.slice(0, 2).map(({ name }) => name));
    expect(await one.authority.list('p*a', 2, newCall())).toEqual([]);
    await waiting;
    for (const claim of [...claims, more]) await one.authority.release(claim);
    expect(await keys()).toEqual([]);
  });

  test('force takes it from all holders, tells their sidecars alone, and wakes the next', async () => {
    const name = newName();
    const claims = [claimOf(name, { mode: 'shared' }), claimOf(name, { mode: 'shared' })] as const;
    await one.acquire(claims[0]);
    await one.acquire(claims[1]);
    const next = claimOf(name);
    const waiting = two.acquire(next, 5_000);
    await sleep(20);
    expect(await two.authority.forceRelease(name, newCall())).toBe(2);
    await waiting;
    await sleep(20);
    expect(one.forced).toEqual([name]);
    expect(two.forced).toEqual([]);
    expect(await one.authority.renew(claims)).toEqual(['gone', 'gone']);
    expect(await one.authority.release(claims[0])).toBe(false);
    expect(await two.authority.release(next)).toBe(true);
    expect(await two.authority.forceRelease(name, newCall())).toBe(0);
    expect(await keys()).toEqual([]);
  });
});
