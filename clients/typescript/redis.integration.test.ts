import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisUrl, type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type Holdfast, type Redis } from './index.ts';

let database: TestDatabase;
let sidecar: TestSidecar;

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, redisUrl: redisUrl() });
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

describe.each(['session', 'unary'] as const)('over %s', (transport) => {
  let holdfast: Holdfast;
  let redis: Redis;
  const key = `client:${transport}:${randomUUID()}`;

  beforeAll(() => {
    holdfast = connect({ address: sidecar.address, transport });
    redis = holdfast.redis();
  });

  afterAll(async () => {
    await redis.command('DEL', key);
    await holdfast.close();
  });

  test('replies of every kind', async () => {
    expect(await redis.command('SET', key, 'value', 'PX', 60_000)).toBe('OK');
    expect(await redis.command(['GET', key], { priority: 'high' })).toBe('value');
    expect(await redis.command('GET', `${key}:missing`)).toBeNull();
    expect(await redis.command('SET', key, 9_007_199_254_740_993n)).toBe('OK');
    expect(await redis.command('INCR', key)).toBe(9_007_199_254_740_994n);
    expect(await redis.command('DEL', key)).toBe(1);
    await redis.command('HSET', key, 'a', 1, 'b', 2.5);
    expect(await redis.command('HMGET', key, 'a', 'b', 'c')).toEqual(['1', '2.5', null]);
    await redis.command('DEL', key);
  });

  test('any bytes come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (bytes) => {
        await redis.command('SET', key, bytes);
        expect(await redis.commandBuffer('GET', key)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 100 },
    );
    await redis.command('DEL', key);
  });

  test('a pipeline gives a reply for each command, and the error of one that failed', async () => {
    const [set, failed, values] = await redis.pipeline([
      ['SET', key, 'text'],
      ['LPUSH', key, '1'],
      ['MGET', key],
    ]);
    expect(set).toBe('OK');
    expect(failed).toMatchObject({ name: 'HoldfastError', reason: 'REDIS_ERROR' });
    expect(values).toEqual(['text']);
    const [bytes] = await redis.pipeline([['GET', key]], { asBuffers: true });
    expect(bytes).toEqual(Buffer.from('text'));
  });

  test('errors and refusals tell their reason', async () => {
    await redis.command('SET', key, 'text');
    await expect(redis.command('INCR', key)).rejects.toMatchObject({ reason: 'REDIS_ERROR' });
    await expect(redis.command('FLUSHALL')).rejects.toMatchObject({ reason: 'COMMAND_REFUSED' });
    await expect(holdfast.redis('nowhere').command('PING')).rejects.toMatchObject({
      reason: 'UNKNOWN_POOL',
    });
  });
});
