import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { faultyRedis, newKey, openThrough, until, untilUp } from './faulty-redis.test-kit.ts';
import { cancel, newCall, openCommands, redisOptions } from './operations.test-kit.ts';

const on = faultyRedis();
const ok = Buffer.from('OK');
const atomic = { atomic: true };

describe('an atomic pipeline', () => {
  test('gives the reply of each command, and the error of one that failed while it ran', async () => {
    const key = newKey();
    const outcomes = await on.redis.pipeline(
      [
        ['SET', key, 'text'],
        ['LPUSH', key, '1'],
        ['MGET', key, 'nothing'],
      ],
      atomic,
    );
    expect(outcomes).toEqual([
      ok,
      expect.objectContaining({ reason: 'REDIS_ERROR' }),
      [Buffer.from('text'), null],
    ]);
  });

  test('a script in it that answers BUSY of its own accord may have run', async () => {
    const key = newKey();
    const body = "redis.call('INCR', KEYS[1]) return redis.error_reply('BUSY come back')";
    const outcomes = await on.redis.pipeline([['EVAL', body, '1', key]], atomic);
    expect(outcomes).toEqual([expect.objectContaining({ code: status.UNKNOWN })]);
  });

  test('one command that Redis does not take stops all of them', async () => {
    const key = newKey();
    await expect(
      on.redis.pipeline([['INCR', key], ['LPUSH', key], ['NOSUCH']], atomic),
    ).rejects.toMatchObject({
      kind: 'invalid',
      reason: 'REDIS_ERROR',
      message: expect.stringMatching(/^commands\[1\]: .*none of the commands ran$/) as string,
    });
    expect(await on.direct.exists(key)).toBe(0);
    expect(await on.redis.command(['PING'])).toEqual(Buffer.from('PONG'));
  });

  test('nothing of other callers gets in between', async () => {
    const key = newKey();
    const others: Promise<unknown>[] = [];
    const pipelines = Array.from({ length: 50 }, (_, number) => {
      others.push(on.redis.command(['RPUSH', key, 'x']));
      const push = (): string[] => ['RPUSH', key, String(number)];
      return on.redis.pipeline([push(), push(), push()], atomic);
    });
    await Promise.all([...pipelines, ...others]);
    const list = await on.direct.lrange(key, 0, -1);
    expect(list).toHaveLength(200);
    for (let at = 0; at < list.length; at += 1) {
      if (list[at] === 'x') continue;
      expect(list.slice(at, at + 3)).toEqual([list[at], list[at], list[at]]);
      at += 2;
    }
  });

  test('commands that are refused elsewhere are refused in it', async () => {
    for (const command of [['EXEC'], ['FLUSHALL'], ['BLPOP', 'k', '0'], ['SELECT', '1']]) {
      await expect(on.redis.pipeline([['PING'], command], atomic)).rejects.toMatchObject({
        reason: 'COMMAND_REFUSED',
      });
    }
  });

  test.each([
    ['MULTI', 'before', null],
    ['INCR', 'after', null],
    ['EXEC', 'before', null],
    ['EXEC', 'within', null],
    ['EXEC', 'after', '2'],
  ] as const)(
    'a connection that breaks at %s, %s it: all of it ran, or nothing',
    async (word, cut, value) => {
      const key = newKey();
      await on.redis.pipeline([['PING']], atomic);
      on.proxy.rule = ({ type }) => (type === word ? { cut } : undefined);
      const answer = on.redis.pipeline(
        [
          ['INCR', key],
          ['INCR', key],
        ],
        atomic,
      );
      await expect(answer).rejects.toMatchObject({ kind: 'unknown-outcome', reason: 'REPLY_LOST' });
      on.proxy.rule = undefined;
      await untilUp(on.redis);
      if (value !== null) await until(async () => (await on.direct.get(key)) !== null);
      expect(await on.direct.get(key)).toBe(value);
    },
  );

  test('one that only reads is worth another try', async () => {
    await on.redis.pipeline([['PING']], atomic);
    on.proxy.rule = ({ type }) => (type === 'EXEC' ? { cut: 'after' } : undefined);
    await expect(on.redis.pipeline([['GET', newKey()]], atomic)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'REPLY_LOST',
    });
  });

  test('its caller may give up: it may have run then', async () => {
    await on.redis.pipeline([['PING']], atomic);
    on.proxy.stall('server');
    const call = newCall();
    const answer = on.redis.pipeline([['INCR', newKey()]], { ...atomic, call });
    answer.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    cancel(call);
    await expect(answer).rejects.toMatchObject({ kind: 'cancelled', reason: 'REPLY_LOST' });
    on.proxy.release();
  });

  test('commandTimeoutMs ends it', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 200 });
    await quick.pipeline([['PING']], atomic);
    on.proxy.stall('server');
    await expect(quick.pipeline([['INCR', newKey()]], atomic)).rejects.toMatchObject({
      reason: 'COMMAND_TIMEOUT',
    });
    on.proxy.release();
  });

  test('a read-only replica takes none of it', async () => {
    const key = newKey();
    await on.direct.config('SET', 'min-replicas-to-write', '1');
    try {
      await expect(on.redis.pipeline([['INCR', key]], atomic)).rejects.toMatchObject({
        kind: 'unavailable',
        reason: 'REDIS_UNAVAILABLE',
        metadata: { redis_code: 'NOREPLICAS' },
      });
    } finally {
      await on.direct.config('SET', 'min-replicas-to-write', '0');
    }
  });
});

test('a user who may not run MULTI never runs the commands one by one', async () => {
  await on.direct.call('ACL', 'SETUSER', 'nomulti', 'on', '>p', '~*', '&*', '+@all', '-multi');
  const { connection } = redisOptions(on.server.url);
  await using limited = await openCommands([
    redisOptions(on.server.url, { connection: { ...connection, user: 'nomulti', password: 'p' } }),
  ]);
  await limited.targets.opened();
  const key = newKey();
  await expect(limited.pipeline([['INCR', key]], atomic)).rejects.toMatchObject({
    kind: 'forbidden',
    metadata: { redis_code: 'NOPERM' },
  });
  expect(await on.direct.exists(key)).toBe(0);
});
