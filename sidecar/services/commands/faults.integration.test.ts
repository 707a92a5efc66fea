import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../scripts/servers/redis.ts';
import { faultyRedis, newKey, openThrough, until, untilUp } from './faulty-redis.test-kit.ts';
import { cancel, newCall, openCommands, redisOptions } from './operations.test-kit.ts';

const on = faultyRedis();
const pong = Buffer.from('PONG');

describe('a connection that breaks', () => {
  test('under a command: it is not sent again, and its caller is told', async () => {
    const key = newKey();
    on.proxy.stall('server');
    const [write, read, safe] = [
      on.redis.command(['INCR', key]),
      on.redis.command(['GET', key]),
      on.redis.command(['SET', newKey(), '1'], { idempotent: true }),
    ];
    const pipeline = on.redis.pipeline([
      ['INCR', key],
      ['GET', key],
    ]);
    await until(async () => (await on.direct.get(key)) === '2');
    on.proxy.cut();
    on.proxy.release();
    await expect(write).rejects.toMatchObject({ kind: 'unknown-outcome', reason: 'REPLY_LOST' });
    await expect(read).rejects.toMatchObject({ kind: 'unavailable', reason: 'REPLY_LOST' });
    await expect(safe).rejects.toMatchObject({ kind: 'unavailable', reason: 'REPLY_LOST' });
    expect(await pipeline).toMatchObject([
      { code: 2, reason: 'REPLY_LOST' },
      { code: 14, reason: 'REPLY_LOST' },
    ]);
    await untilUp(on.redis);
    expect(await on.direct.get(key)).toBe('2');
  });

  // When a busy machine is late to tell that the connection is gone, a command may still go there.
  test('one of two: the other one carries on', { retry: 3 }, async () => {
    const clients = String(await on.direct.client('LIST')).split('\n');
    const ours = clients.find((line) => line.includes('name=holdfast'));
    await on.direct.client('KILL', 'ID', Number(/id=(\d+)/.exec(ours ?? '')?.[1]));
    await sleep(5);
    expect(await on.redis.command(['PING'])).toEqual(pong);
  });

  test('the number of the database holds on the new one', async () => {
    await using third = await openThrough(on.proxy, {
      connection: {
        ...redisOptions(`redis://127.0.0.1:${on.proxy.port}`).connection,
        database: 3,
      },
    });
    on.proxy.cut();
    await sleep(5);
    await untilUp(third);
    const key = newKey();
    await third.command(['SET', key, 'x']);
    expect(await on.direct.exists(key)).toBe(0);
  });
});

describe('a Redis that is not there', () => {
  test('calls fail at once and say when to try again; it is found again by itself', async () => {
    await on.proxy.shut();
    await until(() => on.redis.targets.named('').readyConnections === 0);
    const from = performance.now();
    await expect(on.redis.command(['SET', newKey(), '1'])).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'REDIS_UNAVAILABLE',
      retryAfterMs: expect.any(Number) as number,
    });
    await expect(on.redis.pipeline([['PING']])).rejects.toMatchObject({
      reason: 'REDIS_UNAVAILABLE',
    });
    expect(performance.now() - from).toBeLessThan(1_000);
    await sleep(500);
    expect(on.redis.events).toContain('disconnected ECONNREFUSED');
    await on.proxy.reopen();
    expect(await untilUp(on.redis)).toBeLessThan(4_000);
  });

  test('from the start: nothing waits for it, and it is found when it comes', async () => {
    await on.proxy.shut();
    await using late = await openThrough(on.proxy);
    await expect(late.command(['PING'])).rejects.toMatchObject({
      reason: 'REDIS_UNAVAILABLE',
      metadata: { fault: 'ECONNREFUSED' },
    });
    await on.proxy.reopen();
    expect(await untilUp(late)).toBeLessThan(4_000);
  });

  test('a call that comes before the first connection waits for it', async () => {
    await using early = await openCommands([redisOptions(`redis://127.0.0.1:${on.proxy.port}`)]);
    void early.targets.opened();
    expect(await Promise.all([early.command(['PING']), early.pipeline([['PING']])])).toEqual([
      pong,
      [pong],
    ]);
  });

  test('a call that comes before the first connection may give up', async () => {
    on.proxy.stall('server');
    await using early = await openCommands([redisOptions(`redis://127.0.0.1:${on.proxy.port}`)]);
    const opening = early.targets.opened();
    const call = newCall();
    const answer = early.command(['PING'], { call });
    await sleep(10);
    cancel(call);
    await expect(answer).rejects.toMatchObject({ reason: 'CANCELLED' });
    on.proxy.release();
    await opening;
    expect(await early.command(['PING'])).toEqual(pong);
  });

  test('closing does not wait for it', async () => {
    await on.proxy.shut();
    const down = await openThrough(on.proxy);
    const from = performance.now();
    await down[Symbol.asyncDispose]();
    expect(performance.now() - from).toBeLessThan(1_500);
    await expect(down.command(['PING'])).rejects.toMatchObject({ reason: 'REDIS_UNAVAILABLE' });
  });
});

describe('a Redis that does not answer', () => {
  test('commandTimeoutMs ends the wait; a silent connection is given up and made anew', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 200 });
    const key = newKey();
    on.proxy.stall('server');
    const from = performance.now();
    const answers = [quick.command(['SET', key, '1']), quick.command(['GET', key])];
    for (const answer of answers) {
      await expect(answer).rejects.toMatchObject({ kind: 'deadline', reason: 'COMMAND_TIMEOUT' });
    }
    expect(performance.now() - from).toBeGreaterThan(190);
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(quick.events.filter((event) => event === 'timedOut')).toHaveLength(2);
    await until(() => quick.events.includes('disconnected ETIMEDOUT'));
    on.proxy.release();
    expect(await untilUp(quick)).toBeLessThan(4_000);
    expect(await on.direct.get(key)).toBe('1');
  });

  test('a stopped server: the same, until it goes on', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 200 });
    on.server.pause();
    try {
      await expect(quick.command(['PING'])).rejects.toMatchObject({ reason: 'COMMAND_TIMEOUT' });
    } finally {
      on.server.resume();
    }
    expect(await untilUp(quick)).toBeLessThan(4_000);
  });

  test('one connection that is held up does not hold up those on the other', async () => {
    on.proxy.rule = ({ connection, from }) =>
      connection === 1 && from === 'server' ? { stall: true } : undefined;
    const stuck = on.redis.command(['PING']);
    await sleep(20);
    const from = performance.now();
    expect(await on.redis.command(['PING'])).toEqual(pong);
    expect(performance.now() - from).toBeLessThan(1_500);
    on.proxy.release();
    expect(await stuck).toEqual(pong);
  });
});

test('a wrong password: unavailable, and the password is nowhere', async () => {
  await using locked = await openCommands([
    redisOptions(on.server.url, {
      connection: { ...redisOptions(on.server.url).connection, user: 'nobody', password: 's3cret' },
    }),
  ]);
  await locked.targets.opened();
  const failure = await locked.command(['PING']).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ reason: 'REDIS_UNAVAILABLE', metadata: { fault: 'WRONGPASS' } });
  expect(`${String(failure)}${JSON.stringify(failure)}${locked.events.join()}`).not.toContain(
    's3cret',
  );
});

test('a replica takes no writes: unavailable, and one new connection to look for the master', async () => {
  const replica = await startRedis();
  const asReplica = new Redis(replica.url);
  await using commands = await openCommands([redisOptions(replica.url, { connections: 1 })]);
  await commands.targets.opened();
  await asReplica.replicaof('127.0.0.1', on.server.port);
  const writeFails = { kind: 'unavailable', reason: 'REDIS_UNAVAILABLE' };
  await expect(commands.command(['SET', newKey(), '1'])).rejects.toMatchObject(writeFails);
  await untilUp(commands);
  await expect(commands.command(['SET', newKey(), '1'])).rejects.toMatchObject(writeFails);
  const script = ['EVAL', "return redis.pcall('SET', KEYS[1], 1)", '1', newKey()];
  await expect(commands.command(script)).rejects.toMatchObject({
    kind: 'unknown-outcome',
    reason: 'REDIS_ERROR',
    metadata: { redis_code: 'READONLY' },
  });
  expect(await commands.command(['PING'])).toEqual(pong);
  expect(commands.events.filter((event) => event === 'disconnected READONLY')).toHaveLength(1);
  asReplica.disconnect();
  await replica.stop();
});
