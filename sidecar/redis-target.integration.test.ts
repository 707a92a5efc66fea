import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { FaultProxy } from '../scripts/faults/fault-proxy.ts';
import { startRedis, type RedisServer } from '../scripts/servers/redis.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { inspectPolicies } from './policies.test-kit.ts';
import { startSidecar } from './sidecar.test-kit.ts';

let database: TestDatabase;
let server: RedisServer;
beforeAll(async () => {
  database = await testDatabase();
  server = await startRedis();
});
afterAll(async () => {
  await database.drop();
  await server.stop();
});

/** A sidecar whose Redis is behind a proxy that can break, under one policy. */
async function aSidecar(settings: object) {
  const proxy = await FaultProxy.to({ host: '127.0.0.1', port: server.port }, 'redis');
  const sidecar = await startSidecar({
    databaseUrl: database.url,
    redisUrl: `redis://127.0.0.1:${proxy.port}`,
    redis: { connections: 1 },
    targets: [{ kind: 'Redis', name: 'default', ...settings }],
  });
  const holdfast = connect({ address: sidecar.address });
  return {
    proxy,
    redis: holdfast.redis(),
    state: async () =>
      (await inspectPolicies(sidecar.address)).targets.find(({ kind }) => kind === 'Redis'),
    [Symbol.asyncDispose]: async () => {
      await holdfast.close();
      await sidecar.stop();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

test('what only reads is tried again when its reply is lost; a write is not', async () => {
  const retry = { maxAttempts: 5, backoff: { baseMs: 100, maxMs: 200 } };
  await using it = await aSidecar({ retry });
  await it.redis.command('SET', 'n', '1');
  let cuts = 0;
  it.proxy.rule = ({ from }) => {
    if (from !== 'server' || cuts > 0) return undefined;
    cuts += 1;
    return { cut: 'before' };
  };
  expect(String(await it.redis.command('GET', 'n'))).toBe('1');
  expect(cuts).toBe(1);
  cuts = 0;
  await expect(it.redis.command('INCR', 'n')).rejects.toMatchObject({ reason: 'REPLY_LOST' });
  expect(cuts).toBe(1);
  // It was sent once.
  expect(String(await it.redis.command('GET', 'n'))).toBe('2');
});

test('a script whose own error sounds like one of an unavailable Redis is not run twice', async () => {
  const retry = { maxAttempts: 3, backoff: { baseMs: 10, maxMs: 20 } };
  await using it = await aSidecar({ retry });
  const body = "redis.call('INCR', KEYS[1]) return redis.error_reply('BUSY come back')";
  const told = { code: 'UNKNOWN', reason: 'REDIS_ERROR' };
  await expect(it.redis.script(body, { keys: ['once'] })).rejects.toMatchObject(told);
  await expect(it.redis.command('EVAL', body, '1', 'once')).rejects.toMatchObject(told);
  expect(String(await it.redis.command('GET', 'once'))).toBe('2');
});

test('a breaker opens while Redis is away, and closes when it is back', async () => {
  const breaker = { minCalls: 5, openMs: 300, halfOpenCalls: 1 };
  await using it = await aSidecar({ breaker });
  await expect.poll(() => it.redis.command('PING').then(String, () => '')).toBe('PONG');
  await it.proxy.shut();
  const reasons: unknown[] = [];
  for (let call = 0; call < 10; call += 1) {
    await it.redis.command('PING').catch((error: { reason: string }) => reasons.push(error.reason));
  }
  expect(reasons.at(-1)).toBe('BREAKER_OPEN');
  expect(await it.state()).toMatchObject({ breaker: 'open' });
  await it.proxy.reopen();
  await expect
    .poll(() => it.redis.command('PING').then(String, () => ''), { timeout: 10_000 })
    .toBe('PONG');
  await expect.poll(async () => (await it.state())?.breaker).toBe('closed');
});

test('commands that block are no failures when nothing came, not slow, and not cut by the times of a try', async () => {
  const breaker = { minCalls: 3, failureRate: 1, slowRate: 0.1, slowCallMs: 100 };
  await using it = await aSidecar({ breaker, timeout: { totalMs: 200, perTryMs: 200 } });
  for (let call = 0; call < 4; call += 1) {
    // On a machine that is slow for a moment the answer may come after the deadline.
    await expect(
      it.redis.command(['BLPOP', 'nothing', '0'], { deadlineMs: 400 }),
    ).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  }
  for (let call = 0; call < 4; call += 1) {
    expect(await it.redis.command('BLPOP', 'nothing', '0.3')).toBe(null);
  }
  expect(await it.state()).toMatchObject({ breaker: 'closed', inFlight: 0 });
});

test('calls come no faster than the rate, and hear when to come back', async () => {
  await using it = await aSidecar({ rate: { perSecond: 5, burst: 3 } });
  const told = await Promise.allSettled(Array.from({ length: 5 }, () => it.redis.command('PING')));
  const refused = told.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as object] : [],
  );
  expect(refused).toHaveLength(2);
  expect(refused[0]).toMatchObject({ reason: 'RATE_LIMITED', code: 'RESOURCE_EXHAUSTED' });
  expect((refused[0] as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
});
