import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { HoldfastError } from '../../../platform/errors.ts';
import { faultyRedis, newKey, until, untilUp } from './faulty-redis.test-kit.ts';
import { cancel, newCall, passDeadline } from './operations.test-kit.ts';

const on = faultyRedis();
const pong = Buffer.from('PONG');

describe('a call that its caller gives up', () => {
  test('before its command was sent: it never runs', async () => {
    const key = newKey();
    const call = newCall();
    const answer = on.redis.command(['SET', key, '1'], { call });
    cancel(call);
    await expect(answer).rejects.toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
    await on.redis.command(['PING']);
    expect(await on.direct.exists(key)).toBe(0);
    expect(on.redis.targets.named('').inFlight).toBe(0);
  });

  test.each([
    ['cancelled', cancel],
    ['deadline', passDeadline],
  ] as const)(
    'after it was sent (%s): at once, and told that it may have run',
    async (kind, end) => {
      const key = newKey();
      on.proxy.stall('server');
      const call = newCall();
      const answer = on.redis.command(['SET', key, '1'], { call });
      await until(async () => (await on.direct.exists(key)) === 1);
      end(call);
      await expect(answer).rejects.toMatchObject({ kind, reason: 'REPLY_LOST', target: 'default' });
      on.proxy.release();
      // The late reply went to nobody.
      expect(await on.redis.command(['GET', key])).toEqual(Buffer.from('1'));
    },
  );

  test('after it was sent, when it only reads or its caller said that twice does no harm: nothing to tell', async () => {
    on.proxy.stall('server');
    const call = newCall();
    const answers = [
      on.redis.command(['GET', newKey()], { call }),
      on.redis.command(['SET', newKey(), '1'], { call, idempotent: true }),
      on.redis.pipeline([['GET', newKey()], ['PING']], { call }),
    ];
    await sleep(20);
    cancel(call);
    for (const answer of answers) {
      await expect(answer).rejects.toMatchObject({ reason: 'CANCELLED' });
    }
    on.proxy.release();
    expect(await on.redis.command(['PING'])).toEqual(pong);
  });

  test('a pipeline, before and after it was sent', async () => {
    const key = newKey();
    const early = newCall();
    const never = on.redis.pipeline([['INCR', key]], { call: early });
    cancel(early);
    await expect(never).rejects.toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
    on.proxy.stall('server');
    const late = newCall();
    const answer = on.redis.pipeline(
      [
        ['INCR', key],
        ['GET', key],
      ],
      { call: late },
    );
    await until(async () => (await on.direct.get(key)) === '1');
    cancel(late);
    await expect(answer).rejects.toMatchObject({ kind: 'cancelled', reason: 'REPLY_LOST' });
    on.proxy.release();
  });

  test('that had ended before: nothing is sent', async () => {
    const key = newKey();
    const call = newCall();
    cancel(call);
    await expect(on.redis.command(['SET', key, '1'], { call })).rejects.toMatchObject({
      reason: 'CANCELLED',
    });
    await expect(on.redis.pipeline([['SET', key, '1']], { call })).rejects.toMatchObject({
      reason: 'CANCELLED',
    });
    await on.redis.command(['PING']);
    expect(await on.direct.exists(key)).toBe(0);
  });
});

test('through cuts and cancels every call has one answer, and nothing runs twice', async () => {
  const key = newKey();
  let done = 0;
  let maybe = 0;
  const otherReasons = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    await untilUp(on.redis);
    const calls = Array.from({ length: 50 }, (_, index) => {
      const call = newCall();
      const answer = on.redis.command(['INCR', key], { call });
      if (index % 7 === round % 7) setImmediate(() => setImmediate(() => cancel(call)));
      if (index % 11 === round % 11) cancel(call);
      return answer.then(
        () => 'DONE',
        (error: HoldfastError) => error.reason,
      );
    });
    if (round % 3 === 0) setTimeout(() => on.proxy.cut(), round / 10);
    for (const result of await Promise.all(calls)) {
      if (result === 'DONE') done += 1;
      else if (result === 'REPLY_LOST') maybe += 1;
      else otherReasons.add(result);
    }
  }
  await untilUp(on.redis);
  const count = Number(await on.direct.get(key));
  for (const reason of otherReasons) expect(['CANCELLED', 'REDIS_UNAVAILABLE']).toContain(reason);
  expect(done).toBeGreaterThan(100);
  expect(count).toBeGreaterThanOrEqual(done);
  expect(count).toBeLessThanOrEqual(done + maybe);
  expect(on.redis.targets.named('').inFlight).toBe(0);
});
