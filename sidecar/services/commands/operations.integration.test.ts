import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisUrl } from '../../../scripts/servers/test-database.ts';
import { type Commands, openCommands, redisOptions } from './operations.test-kit.ts';

let direct: Redis;
let redis: Commands;
const prefix = `commands:${process.pid}:`;
const key = (name: string): string => `${prefix}${name}`;
const ok = Buffer.from('OK');

beforeAll(async () => {
  direct = new Redis(redisUrl());
  redis = await openCommands([
    redisOptions(redisUrl()),
    redisOptions(redisUrl(), { name: 'small', maxReplyBytes: 1024, maxInFlight: 10 }),
  ]);
  await redis.targets.opened();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  direct.disconnect();
});

describe('Command', () => {
  test('what it writes is in Redis, and what is in Redis it reads', async () => {
    expect(await redis.command(['SET', key('a'), 'value'])).toEqual(ok);
    expect(await direct.get(key('a'))).toBe('value');
    await direct.set(key('b'), 'other');
    expect(await redis.command(['get', key('b')])).toEqual(Buffer.from('other'));
  });

  test('bytes survive, in keys and values', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.uint8Array({ maxLength: 100 }),
        async (value, tail) => {
          run += 1;
          const name = Buffer.concat([Buffer.from(key(`bytes${run}`)), tail]);
          await redis.command(['SET', name, Buffer.from(value)]);
          expect(await redis.command(['GET', name])).toEqual(Buffer.from(value));
          expect(await direct.getBuffer(name)).toEqual(Buffer.from(value));
        },
      ),
    );
  });

  test('every kind of reply', async () => {
    await direct.rpush(key('list'), 'x', '', 'y');
    expect(await redis.command(['GET', key('none')])).toBeNull();
    expect(await redis.command(['LRANGE', key('list'), '0', '-1'])).toEqual(
      ['x', '', 'y'].map((text) => Buffer.from(text)),
    );
    expect(await redis.command(['LRANGE', key('none'), '0', '-1'])).toEqual([]);
    expect(await redis.command(['MGET', key('none'), key('none')])).toEqual([null, null]);
    const script = "return {1, 'two', {3, {}}, false, redis.error_reply('MINE text')}";
    expect(await redis.command(['EVAL', script, '0'])).toEqual([
      1n,
      Buffer.from('two'),
      [3n, []],
      null,
      new Error('MINE text'),
    ]);
  });

  test('integers keep all their 64 bits', async () => {
    await direct.set(key('n'), '9007199254740992');
    expect(await redis.command(['INCR', key('n')])).toBe(9_007_199_254_740_993n);
    await direct.set(key('m'), '-9223372036854775807');
    expect(await redis.command(['DECR', key('m')])).toBe(-9_223_372_036_854_775_808n);
  });

  test('replies have one shape, whatever the command: no maps, no doubles', async () => {
    await direct.hset(key('h'), 'f', '1');
    await direct.zadd(key('z'), 1.5, 'm');
    expect(await redis.command(['HGETALL', key('h')])).toEqual([
      Buffer.from('f'),
      Buffer.from('1'),
    ]);
    expect(await redis.command(['ZRANGE', key('z'), '0', '-1', 'WITHSCORES'])).toEqual([
      Buffer.from('m'),
      Buffer.from('1.5'),
    ]);
    expect(await redis.command(['ZSCORE', key('z'), 'm'])).toEqual(Buffer.from('1.5'));
  });

  test('a thousand at once, each with its own answer', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => key(`many${index}`));
    await Promise.all(names.map((name, index) => redis.command(['SET', name, String(index)])));
    const values = await Promise.all(names.map((name) => redis.command(['GET', name])));
    expect(values.map(String)).toEqual(names.map((_, index) => String(index)));
  });

  test('large values pass, and one beyond maxReplyBytes fails without harm to its neighbours', async () => {
    const value = Buffer.alloc(12 * 1024 * 1024, 'v');
    await redis.command(['SET', key('large'), value]);
    expect(await direct.strlen(key('large'))).toBe(value.length);
    const [large, small] = await Promise.all([
      redis.command(['GET', key('large')]),
      redis.command(['STRLEN', key('large')]),
    ]);
    expect(value.equals(large as Buffer)).toBe(true);
    expect(small).toBe(BigInt(value.length));
    const refused = redis.command(['GET', key('large')], { pool: 'small' });
    const beside = redis.command(['STRLEN', key('large')], { pool: 'small' });
    await expect(refused).rejects.toMatchObject({ kind: 'exhausted', reason: 'RESULT_TOO_LARGE' });
    expect(await beside).toBe(BigInt(value.length));
    await direct.del(key('large'));
  });

  test.each([
    [
      ['LPUSH', 'a'],
      {
        kind: 'invalid',
        reason: 'REDIS_ERROR',
        message: 'Redis "default" answered ERR: wrong number of arguments for \'lpush\' command',
      },
    ],
    [
      ['NOSUCHCOMMAND', 's3cret'],
      {
        kind: 'invalid',
        reason: 'REDIS_ERROR',
        message: 'Redis "default" answered ERR: Redis knows no such command',
      },
    ],
    [
      ['EVAL', "return redis.error_reply('MINE s3cret')", '0'],
      { kind: 'precondition', metadata: { redis_code: 'MINE' } },
    ],
    [
      ['EVAL', 'return s3cret', '0'],
      { kind: 'invalid', message: 'Redis "default" answered ERR: the script failed' },
    ],
    [['OBJECT', 's3cret'], { kind: 'invalid', reason: 'REDIS_ERROR' }],
    [
      ['XREADGROUP', 'GROUP', 's3cret', 'c', 'STREAMS', `${prefix}s3cret`, '>'],
      { kind: 'not-found', metadata: { redis_code: 'NOGROUP' } },
    ],
    [
      ['LPUSH', `${prefix}text`, 's3cret'],
      { kind: 'precondition', metadata: { redis_code: 'WRONGTYPE' } },
    ],
    [[''], { kind: 'invalid', reason: 'INVALID_REQUEST' }],
    [[], { kind: 'invalid', reason: 'INVALID_REQUEST' }],
  ])('%j fails', async (words, error) => {
    await direct.set(key('text'), 'text');
    const failure = await redis.command(words).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject(error);
    expect(`${String(failure)} ${JSON.stringify(failure)}`).not.toContain('s3cret');
  });

  test('more than 64 MiB of arguments are refused before they are sent', async () => {
    const half = Buffer.alloc(33 * 1024 * 1024);
    await expect(redis.command(['MSET', 'a', half, 'b', half])).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
  });

  test('commands that break sharing are refused, and the connections go on', async () => {
    for (const words of [
      ['SUBSCRIBE', 'c'],
      ['Client', 'REPLY', 'OFF'],
      ['SELECT', '3'],
      ['MULTI'],
      ['QUIT'],
      ['SCRIPT', 'FLUSH'],
    ]) {
      await expect(redis.command(words)).rejects.toMatchObject({
        kind: 'invalid',
        reason: 'COMMAND_REFUSED',
      });
    }
    expect(await redis.command(['PING'])).toEqual(Buffer.from('PONG'));
    expect(await redis.command(['SET', key('a'), 'still database 0'])).toEqual(ok);
    expect(await direct.get(key('a'))).toBe('still database 0');
  });

  test('a name that the policy does not have', async () => {
    await expect(redis.command(['PING'], { pool: 'nowhere' })).rejects.toMatchObject({
      kind: 'not-found',
      reason: 'UNKNOWN_POOL',
      message: 'no Redis has the name that the request gives; the policy has "default", "small"',
    });
    await expect(redis.pipeline([['PING']], { pool: 'nowhere' })).rejects.toMatchObject({
      reason: 'UNKNOWN_POOL',
    });
  });

  test('REDIS_URL=off says so', async () => {
    await using off = await openCommands([], true);
    await expect(off.command(['PING'])).rejects.toMatchObject({
      kind: 'precondition',
      reason: 'REDIS_OFF',
    });
    await using none = await openCommands([]);
    await expect(none.command(['PING'])).rejects.toMatchObject({ reason: 'UNKNOWN_POOL' });
  });

  test('more commands than maxInFlight are refused one by one; the others are answered', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 15 }, () => redis.command(['PING'], { pool: 'small' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(results[14]).toMatchObject({
      status: 'rejected',
      reason: { kind: 'exhausted', reason: 'POOL_EXHAUSTED', metadata: { queue_length: '10' } },
    });
    expect(await redis.command(['PING'], { pool: 'small' })).toEqual(Buffer.from('PONG'));
  });
});

describe('Pipeline', () => {
  test('runs in order, and tells of each command', async () => {
    const outcomes = await redis.pipeline([
      ['SET', key('p'), '1'],
      ['INCR', key('p')],
      ['LPUSH', key('p'), 'x'],
      ['GET', key('p')],
    ]);
    expect(outcomes).toEqual([
      ok,
      2n,
      { code: 9, reason: 'REDIS_ERROR', message: expect.stringContaining('WRONGTYPE') as string },
      Buffer.from('2'),
    ]);
  });

  test('ten thousand commands, cut into parts that merge', async () => {
    const commands = Array.from({ length: 10_000 }, (_, index) => ['ECHO', String(index)]);
    const outcomes = await redis.pipeline(commands);
    expect(outcomes.map(String)).toEqual(commands.map(([, text]) => text));
  });

  test('none is an empty answer, and too many are refused', async () => {
    expect(await redis.pipeline([])).toEqual([]);
    const tooMany = Array.from({ length: 10_001 }, () => ['PING']);
    await expect(redis.pipeline(tooMany)).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  });

  test('one command that is refused stops all of them', async () => {
    await expect(
      redis.pipeline([
        ['SET', key('q'), '1'],
        ['KEYS', '*'],
      ]),
    ).rejects.toMatchObject({
      reason: 'COMMAND_REFUSED',
      message: expect.stringMatching(
        /^commands\[1\]: KEYS is refused: .*; nothing was sent$/,
      ) as string,
    });
    expect(await direct.exists(key('q'))).toBe(0);
  });

  test('replies beyond maxReplyBytes fail one by one', async () => {
    await direct.set(key('k600'), 'x'.repeat(600));
    const get = ['GET', key('k600')];
    const outcomes = await redis.pipeline([get, get, ['PING']], { pool: 'small' });
    expect(outcomes[0]).toHaveLength(600);
    expect(outcomes[1]).toMatchObject({ code: 8, reason: 'RESULT_TOO_LARGE' });
    expect(outcomes[2]).toEqual(Buffer.from('PONG'));
  });
});
