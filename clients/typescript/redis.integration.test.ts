import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { redisUrl, type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import {
  connect,
  type Holdfast,
  type HoldfastError,
  type Redis,
  type SubscriptionEvent,
} from './index.ts';

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

  test('an atomic pipeline', async () => {
    const commands = [
      ['SET', key, 1],
      ['INCR', key],
    ];
    expect(await redis.pipeline(commands, { atomic: true })).toEqual(['OK', 2]);
    await expect(redis.pipeline([...commands, ['NOSUCH']], { atomic: true })).rejects.toMatchObject(
      { reason: 'REDIS_ERROR' },
    );
    expect(await redis.command('GET', key)).toBe('2');
  });

  test('a script; one with an operation id takes effect once', async () => {
    const body = "redis.call('INCRBY', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1])}";
    await redis.command('SET', key, 0);
    const options = { keys: [key], args: [5] };
    expect(await redis.script(body, options)).toEqual(['5']);
    const once = { ...options, operationId: randomUUID() };
    expect(await redis.script(body, once)).toEqual(['10']);
    expect(await redis.script(body, { ...once, asBuffers: true })).toEqual([Buffer.from('10')]);
    await expect(redis.script('return 1', once)).rejects.toMatchObject({
      reason: 'OPERATION_ID_REUSED',
    });
  });

  test('a subscription gets what is published, until its loop ends', async () => {
    const events: SubscriptionEvent[] = [];
    let receivers = 0;
    for await (const event of redis.subscribe({ channels: [key], patterns: [`${key}?`] })) {
      events.push(event);
      if (event.type === 'subscribed') {
        receivers = await redis.publish(key, 'hello');
        await redis.publish(`${key}2`, new Uint8Array([104, 105]));
      }
      if (events.length === 3) break;
    }
    expect(receivers).toBe(1);
    expect(events).toEqual([
      { type: 'subscribed' },
      { type: 'message', channel: key, pattern: undefined, payload: 'hello' },
      { type: 'message', channel: `${key}2`, pattern: `${key}?`, payload: 'hi' },
    ]);
    await vi.waitFor(async () => expect(await redis.publish(key, 'anyone?')).toBe(0));
  });

  test('a subscription ends with its signal, with its deadline, and with the client', async () => {
    const rest = async (
      subscription: AsyncGenerator<SubscriptionEvent, void>,
    ): Promise<string | undefined> => {
      try {
        for await (const event of subscription) expect(event.type).toBe('subscribed');
        return undefined;
      } catch (thrown) {
        return (thrown as HoldfastError).reason;
      }
    };
    const topics = { channels: [key] };
    const signal = AbortSignal.timeout(50);
    expect(await rest(redis.subscribe(topics, { signal }))).toBe('CANCELLED');
    expect(await rest(redis.subscribe(topics, { deadlineMs: 50 }))).toBe('DEADLINE_EXCEEDED');
    expect(await rest(redis.subscribe({}))).toBe('INVALID_REQUEST');
    const other = connect({ address: sidecar.address, transport });
    const open = rest(other.redis().subscribe(topics));
    setTimeout(() => void other.close(), 50);
    expect(await open).toBe('CLIENT_CLOSED');
  });

  test('a subscription that has no connection yet ends with its signal, and with the client', async () => {
    const nowhere = connect({ address: 'unix:/tmp/holdfast-nobody.sock', transport });
    const reasonOf = async (signal?: AbortSignal): Promise<string> => {
      const events = nowhere.redis().subscribe({ channels: [key] }, signal && { signal });
      return events.next().then(
        () => 'an event',
        (thrown: HoldfastError) => thrown.reason,
      );
    };
    expect(await reasonOf(AbortSignal.timeout(50))).toBe('CANCELLED');
    const open = reasonOf();
    await nowhere.close();
    expect(await open).toBe('CLIENT_CLOSED');
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
