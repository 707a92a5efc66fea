import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { faultyRedis, newKey, openThrough, until } from './faulty-redis.test-kit.ts';
import { cancel, newCall, passDeadline } from './operations.test-kit.ts';

const on = faultyRedis();
const text = (...words: string[]): Buffer[] => words.map((word) => Buffer.from(word));
const blocked = async (): Promise<number> =>
  Number(/blocked_clients:(\d+)/.exec(await on.direct.info('clients'))?.[1]);

describe('a command that blocks', () => {
  test.each<[string, (key: string) => string[], (key: string) => Promise<unknown>]>([
    ['BLPOP', (key) => ['BLPOP', key, '0'], (key) => on.direct.lpush(key, 'v')],
    ['BRPOP', (key) => ['BRPOP', 'other', key, '5'], (key) => on.direct.lpush(key, 'v')],
    [
      'BLMOVE',
      (key) => ['BLMOVE', key, 'to', 'LEFT', 'LEFT', '5'],
      (key) => on.direct.lpush(key, 'v'),
    ],
    ['BLMPOP', (key) => ['BLMPOP', '5', '1', key, 'LEFT'], (key) => on.direct.lpush(key, 'v')],
    ['BZPOPMIN', (key) => ['BZPOPMIN', key, '5'], (key) => on.direct.zadd(key, 1, 'v')],
    ['BZPOPMAX', (key) => ['BZPOPMAX', key, '0.5'], (key) => on.direct.zadd(key, 1, 'v')],
    ['BZMPOP', (key) => ['BZMPOP', '5', '1', key, 'MIN'], (key) => on.direct.zadd(key, 1, 'v')],
    [
      'XREAD',
      (key) => ['XREAD', 'BLOCK', '0', 'STREAMS', key, '$'],
      (key) => on.direct.xadd(key, '*', 'f', 'v'),
    ],
  ])('%s waits without holding up anybody, and is answered', async (_, words, feed) => {
    const key = newKey();
    const answer = on.redis.command(words(key), { call: newCall(5_000) });
    await until(async () => (await blocked()) === 1);
    const from = performance.now();
    await on.redis.command(['PING']);
    expect(performance.now() - from).toBeLessThan(500);
    await feed(key);
    expect(JSON.stringify(await answer)).toContain(JSON.stringify(Buffer.from('v')).slice(1, -1));
  });

  test('its own timeout ends it with nothing', async () => {
    const from = performance.now();
    expect(await on.redis.command(['BLPOP', newKey(), '0.1'])).toBeNull();
    expect(await on.redis.command(['XREAD', 'BLOCK', '20', 'STREAMS', newKey(), '$'])).toBeNull();
    expect(performance.now() - from).toBeLessThan(1_000);
  });

  test('longer than commandTimeoutMs', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 100 });
    const key = newKey();
    const answer = quick.command(['BLPOP', key, '5']);
    await sleep(300);
    await on.direct.lpush(key, 'late');
    expect(await answer).toEqual(text(key, 'late'));
  });

  test('the deadline of the call ends it on the server first: nothing is popped for a caller who has gone', async () => {
    const key = newKey();
    const from = performance.now();
    await expect(
      on.redis.command(['BLPOP', key, '0'], { call: newCall(300) }),
    ).rejects.toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
    });
    expect(performance.now() - from).toBeLessThan(300);
    await on.direct.lpush(key, 'v');
    expect(await on.direct.llen(key)).toBe(1);
  });

  test('for ever, in a call without a deadline, is refused', async () => {
    await expect(on.redis.command(['BLPOP', newKey(), '0'])).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
  });

  test('a time that is none is left to Redis to refuse', async () => {
    await expect(on.redis.command(['BLPOP', newKey(), 'soon'])).rejects.toMatchObject({
      reason: 'REDIS_ERROR',
    });
    await expect(on.redis.command(['BLPOP', newKey(), '-1'])).rejects.toMatchObject({
      reason: 'REDIS_ERROR',
    });
  });

  test.each([
    ['cancelled', cancel, 'cancelled'],
    ['late', passDeadline, 'deadline'],
  ])(
    '%s: its connection is closed, and its caller told that it may have popped',
    async (_, end, kind) => {
      const key = newKey();
      const call = newCall(60_000);
      const answer = on.redis.command(['BLPOP', key, '0'], { call });
      answer.catch(() => {});
      await until(async () => (await blocked()) === 1);
      end(call);
      await expect(answer).rejects.toMatchObject({ kind, reason: 'REPLY_LOST' });
      await until(async () => (await blocked()) === 0);
      await on.direct.lpush(key, 'v');
      expect(await on.direct.llen(key)).toBe(1);
    },
  );

  test('a reply that was lost', async () => {
    const key = newKey();
    const answer = on.redis.command(['BLPOP', key, '5']);
    answer.catch(() => {});
    await until(async () => (await blocked()) === 1);
    on.proxy.stall('server');
    await on.direct.lpush(key, 'v');
    await until(async () => (await on.direct.llen(key)) === 0);
    on.proxy.cut();
    on.proxy.release();
    await expect(answer).rejects.toMatchObject({ kind: 'unknown-outcome', reason: 'REPLY_LOST' });
  });

  test('a server that is silent past the time is not waited for', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 200 });
    await quick.command(['BLPOP', newKey(), '0.01']);
    on.proxy.stall('server');
    const from = performance.now();
    await expect(quick.command(['BLPOP', newKey(), '0.1'])).rejects.toMatchObject({
      reason: 'COMMAND_TIMEOUT',
    });
    expect(performance.now() - from).toBeGreaterThan(290);
    expect(performance.now() - from).toBeLessThan(1_500);
    on.proxy.release();
  });

  test('blockingConnections is the limit; connections are used again', async () => {
    await using few = await openThrough(on.proxy, { blockingConnections: 2 });
    const keys = [newKey(), newKey()];
    const answers = keys.map((key) => few.command(['BLPOP', key, '5']));
    await until(async () => (await blocked()) === 2);
    await expect(few.command(['BLPOP', 'k', '1'])).rejects.toMatchObject({
      kind: 'exhausted',
      reason: 'POOL_EXHAUSTED',
      metadata: { connections: '2' },
    });
    expect(few.targets.named('').blocked).toBe(2);
    for (const key of keys) await on.direct.lpush(key, 'v');
    await Promise.all(answers);
    expect(few.targets.named('').blocked).toBe(0);
    const { made } = on.proxy;
    await few.command(['BLPOP', newKey(), '0.01']);
    expect(on.proxy.made).toBe(made);
  });

  test('a Redis that is away', async () => {
    await on.proxy.shut();
    await expect(on.redis.command(['BLPOP', newKey(), '1'])).rejects.toMatchObject({
      reason: 'REDIS_UNAVAILABLE',
    });
  });

  test('WAIT counts replicas, of which there are none', async () => {
    expect(await on.redis.command(['WAIT', '0', '100'])).toBe(0n);
    const from = performance.now();
    expect(await on.redis.command(['WAIT', '1', '200'])).toBe(0n);
    expect(performance.now() - from).toBeGreaterThan(150);
  });
});
