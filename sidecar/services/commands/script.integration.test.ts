import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { faultyRedis, newKey, openThrough, until, untilUp } from './faulty-redis.test-kit.ts';
import { cancel, newCall, type Word } from './operations.test-kit.ts';

const on = faultyRedis();
const count = "return redis.call('INCR', KEYS[1])";

const calls = async (command: string): Promise<number> => {
  const stats = await on.direct.info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
};

describe('a script', () => {
  test('keys, arguments and replies of every kind', async () => {
    const key = newKey();
    const body = `redis.call('SET', KEYS[1], ARGV[1])
      return {1, 'text', {ok = 'FINE'}, {err = 'MY error'}, false, {{2}}, redis.call('GET', KEYS[1])}`;
    const args = [Buffer.from([0, 255, 13, 10])];
    const replies = await on.redis.script(body, { keys: [key], args });
    expect(replies).toEqual([
      1n,
      Buffer.from('text'),
      Buffer.from('FINE'),
      new Error('MY error'),
      null,
      [[2n]],
      args[0],
    ]);
  });

  test('is loaded once, and again when Redis forgot it', async () => {
    const body = `return ${JSON.stringify(randomUUID())}`;
    const before = await calls('eval');
    for (let run = 0; run < 5; run += 1) await on.redis.script(body);
    expect(await calls('eval')).toBe(before + 1);
    await on.direct.script('FLUSH');
    await on.redis.script(body);
    expect(await calls('eval')).toBe(before + 2);
  });

  test('has a connection that commands do not use', async () => {
    on.proxy.rule = ({ type }) => (type === 'EVALSHA' ? { stall: true } : undefined);
    const answer = on.redis.script('return 1');
    for (let run = 0; run < 10; run += 1) await on.redis.command(['PING']);
    on.proxy.rule = undefined;
    on.proxy.release();
    expect(await answer).toBe(1n);
  });

  test('whose reply was lost is not sent again, without an operation id', async () => {
    const key = newKey();
    await on.redis.script(count, { keys: [newKey()] });
    on.proxy.stall('server');
    const answer = on.redis.script(count, { keys: [key] });
    answer.catch(() => {});
    await until(async () => (await on.direct.get(key)) === '1');
    on.proxy.cut();
    on.proxy.release();
    await expect(answer).rejects.toMatchObject({ kind: 'unknown-outcome', reason: 'REPLY_LOST' });
    await untilUp(on.redis);
    expect(await on.direct.get(key)).toBe('1');
  });

  test('that takes longer than commandTimeoutMs is not waited for', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 200 });
    await quick.script(count, { keys: [newKey()] });
    on.proxy.stall('server');
    await expect(
      quick.script(count, { keys: [newKey()], operationId: randomUUID() }),
    ).rejects.toMatchObject({ reason: 'COMMAND_TIMEOUT' });
    on.proxy.release();
  });

  test.each([
    ["return redis.call('FLUSHALL')", 'FLUSHALL'],
    ['local x = redis.pcall( "keys", "*")', 'KEYS'],
    ["redis.call'CONFIG'", 'CONFIG'],
  ])('%s is refused', async (body, name) => {
    const refusal = { reason: 'COMMAND_REFUSED', message: expect.stringContaining(name) as string };
    await expect(on.redis.script(body)).rejects.toMatchObject(refusal);
    await expect(on.redis.command(['EVAL', body, '0'])).rejects.toMatchObject(refusal);
    await expect(on.redis.command(['SCRIPT', 'LOAD', body])).rejects.toMatchObject(refusal);
    await expect(on.redis.pipeline([['EVAL', body, '0']])).rejects.toMatchObject(refusal);
  });

  test('may speak of such commands', async () => {
    expect(await on.redis.script("-- redis.call('KEYS')\nreturn 'redis.call FLUSHALL'")).toEqual(
      Buffer.from('redis.call FLUSHALL'),
    );
  });

  test('that breaks a rule is not sent', async () => {
    for (const [body, operationId] of [
      ['', ''],
      ['return 1', 'no blanks'],
      ['return 1', '{x}'],
      [`--${'x'.repeat(1024 * 1024)}`, ''],
    ] as const) {
      await expect(on.redis.script(body, { operationId })).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
      });
    }
  });
});

describe('with an operation id', () => {
  test.each<[string, unknown]>([
    ['return 7', 7n],
    ['return 9007199254740991', 9_007_199_254_740_991n],
    ['return -1.9', -1n],
    ["return 'a\\0b\\r\\n:'", Buffer.from('a\0b\r\n:')],
    ['return nil', null],
    ['return', null],
    ['return true', 1n],
    ["return redis.status_reply('FINE')", Buffer.from('FINE')],
    ["return {1, {'x', {}, false, 2}, nil, 3}", [1n, [Buffer.from('x'), [], null, 2n]]],
    ["return {redis.error_reply('MY bad')}", [new Error('MY bad')]],
    ['return ARGV', [Buffer.from('a1'), Buffer.from('a2')]],
    ['return #KEYS', 1n],
    ['#!lua flags=allow-stale\nreturn 5', 5n],
    ['return 6 -- the end', 6n],
    ['return select("#", ...)', 0n],
  ])('the reply of %j is kept, and given again', async (body, reply) => {
    const options = { keys: [newKey()], args: ['a1', 'a2'], operationId: randomUUID() };
    expect(await on.redis.script(body, options)).toEqual(reply);
    expect(await on.redis.script(body, options)).toEqual(reply);
  });

  test('it takes effect once, however often it is sent', async () => {
    const key = newKey();
    const options = { keys: [key], operationId: randomUUID() };
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => on.redis.script(count, options)),
    );
    expect(new Set(replies)).toEqual(new Set([1n]));
    expect(await on.direct.get(key)).toBe('1');
    expect(await on.redis.script(count, { keys: [key], operationId: randomUUID() })).toBe(2n);
  });

  test.each([
    ["redis.call('INCR', KEYS[1]) error('broken')"],
    ["redis.call('INCR', KEYS[1]) error({code = 1})"],
    ["redis.call('INCR', KEYS[1]) return redis.call('LPUSH', KEYS[1], 1)"],
    ["redis.call('INCR', KEYS[1]) return redis.error_reply('MY bad')"],
  ])('%j fails once: what it did before its error is not done again', async (body) => {
    const key = newKey();
    const options = { keys: [key], operationId: randomUUID() };
    const first: unknown = await on.redis.script(body, options).catch((error: unknown) => error);
    const second: unknown = await on.redis.script(body, options).catch((error: unknown) => error);
    expect(first).toMatchObject({ reason: 'REDIS_ERROR' });
    expect(String(second)).toBe(String(first));
    expect(await on.direct.get(key)).toBe('1');
  });

  test('a reply that was lost is asked for again by the sidecar', async () => {
    const key = newKey();
    await on.redis.script(count, { keys: [newKey()] });
    on.proxy.stall('server');
    const answer = on.redis.script(count, { keys: [key], operationId: randomUUID() });
    await until(async () => (await on.direct.get(key)) === '1');
    on.proxy.cut();
    on.proxy.release();
    expect(await answer).toBe(1n);
    expect(await on.direct.get(key)).toBe('1');
  });

  test('a Redis that stays away ends that after commandTimeoutMs, with the truth about the first try', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 500 });
    const key = newKey();
    await quick.script(count, { keys: [newKey()] });
    on.proxy.stall('server');
    const answer = quick.script(count, { keys: [key], operationId: randomUUID() });
    answer.catch(() => {});
    await until(async () => (await on.direct.get(key)) === '1');
    const from = performance.now();
    await on.proxy.shut();
    await expect(answer).rejects.toMatchObject({ kind: 'unavailable', reason: 'REPLY_LOST' });
    expect(performance.now() - from).toBeLessThan(3_500);
  });

  test('its caller may give up meanwhile', async () => {
    const call = newCall();
    await on.redis.script('return 1');
    const key = newKey();
    on.proxy.stall('server');
    const answer = on.redis.script(count, { keys: [key], operationId: randomUUID(), call });
    answer.catch(() => {});
    await until(async () => (await on.direct.get(key)) === '1');
    await on.proxy.shut();
    await until(() => on.redis.events.some((event) => event.startsWith('disconnected')));
    cancel(call);
    await expect(answer).rejects.toMatchObject({ reason: 'REPLY_LOST' });
  });

  test('it is kept beside the first key, for operationTtlMs, and no longer', async () => {
    await using brief = await openThrough(on.proxy, { operationTtlMs: 1_000 });
    for (const key of ['plain', 'a{tag}b', 'odd}key', '{}empty']) {
      const operationId = randomUUID();
      await brief.script('return 1', { keys: [key], operationId });
      const [marker = ''] = await on.direct.keys(`holdfast:op:*${operationId}`);
      expect(marker).toMatch(/^holdfast:op:\{\w+\}:/);
      const ttlMs = await on.direct.pttl(marker);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(1_000);
    }
    await brief.script('return 1', { operationId: 'without-keys' });
    expect(await on.direct.exists('holdfast:op:without-keys')).toBe(1);
  });

  test('an id that belongs to another script, or to other keys, is refused', async () => {
    const key = newKey();
    const operationId = randomUUID();
    const run = (body: string, keys: readonly Word[]): Promise<unknown> =>
      on.redis.script(body, { keys, operationId });
    await run(count, [key]);
    const refusal = { kind: 'already-exists', reason: 'OPERATION_ID_REUSED' };
    await expect(run(`${count} `, [key])).rejects.toMatchObject(refusal);
    await expect(run(count, [key, 'x'])).rejects.toMatchObject(refusal);
    expect(await on.direct.get(key)).toBe('1');
  });
});
