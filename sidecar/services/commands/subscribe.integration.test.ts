import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { SubscribeEvent } from '../../../platform/gen/holdfast/v1/SubscribeEvent.ts';
import { faultyRedis, newKey, openThrough, until } from './faulty-redis.test-kit.ts';
import {
  cancel,
  type Commands,
  newCall,
  openCommands,
  redisOptions,
} from './operations.test-kit.ts';

const on = faultyRedis();

interface Listening {
  readonly events: SubscribeEvent[];
  /** Payloads, and the reasons of gaps. */
  readonly told: string[];
  readonly call: Call;
  readonly ended: Promise<unknown>;
}

/** Resolves when the subscription stands. */
async function listen(
  commands: Commands,
  topics: Parameters<Commands['subscribe']>[0],
  take: () => Promise<void> | void = () => {},
): Promise<Listening> {
  const events: SubscribeEvent[] = [];
  const told: string[] = [];
  const call = newCall();
  const ended = commands
    .subscribe(
      topics,
      (event) => {
        events.push(event);
        if (event.message) told.push(String(event.message.payload));
        if (event.gap) told.push(String(event.gap.reason));
        return take();
      },
      call,
    )
    .catch((error: unknown) => error);
  const failure = await Promise.race([ended, until(() => events.length > 0)]);
  if (failure !== undefined) throw failure as Error;
  return { events, told, call, ended };
}

const subscribers = async (channel: string): Promise<number> =>
  ((await on.direct.pubsub('NUMSUB', channel)) as [string, number])[1];

describe('Subscribe', () => {
  test('says when it stands, then gives messages of channels and patterns', async () => {
    const channel = newKey();
    const both = await listen(on.redis, {
      channels: [channel, 'other'],
      patterns: [`${channel}*`],
    });
    expect(both.events).toEqual([{ subscribed: {} }]);
    expect(await on.redis.publish(channel, Buffer.from([0, 255]))).toBe(2);
    await on.redis.publish(`${channel}:x`, 'm');
    await until(() => both.events.length === 4);
    const payload = Buffer.from([0, 255]);
    expect(both.events.slice(1)).toEqual([
      { message: { channel: Buffer.from(channel), pattern: '', payload } },
      { message: { channel: Buffer.from(channel), pattern: `${channel}*`, payload } },
      {
        message: {
          channel: Buffer.from(`${channel}:x`),
          pattern: `${channel}*`,
          payload: Buffer.from('m'),
        },
      },
    ]);
  });

  test('one connection for all, that commands do not use; a channel is left with its last listener', async () => {
    const channel = newKey();
    const { made } = on.proxy;
    const first = await listen(on.redis, { channels: [channel] });
    const second = await listen(on.redis, { channels: [channel, `${channel}2`] });
    expect(on.proxy.made).toBe(made + 1);
    expect(on.redis.targets.readings[0]?.subscribers).toBe(2);
    expect(await on.direct.publish(channel, '1')).toBe(1);
    await until(() => first.told.length + second.told.length === 2);
    cancel(first.call);
    expect(await first.ended).toMatchObject({ reason: 'CANCELLED' });
    expect(await subscribers(channel)).toBe(1);
    await on.direct.publish(channel, '2');
    await until(() => second.told.length === 2);
    expect(first.told).toEqual(['1']);
    cancel(second.call);
    await until(async () => (await subscribers(channel)) === 0);
    // The connection goes with the last one.
    await until(() => on.proxy.connections === made);
  });

  test('a channel that nobody listens to any more is left, while others are kept', async () => {
    const [left, kept] = [newKey(), newKey()];
    const leaving = await listen(on.redis, { channels: [left], patterns: [`${left}*`] });
    await listen(on.redis, { channels: [kept] });
    cancel(leaving.call);
    await leaving.ended;
    await until(async () => (await on.direct.publish(left, 'm')) === 0);
    expect(await subscribers(kept)).toBe(1);
  });

  test('many at once, on the same channel', async () => {
    const channel = newKey();
    const all = await Promise.all(
      Array.from({ length: 20 }, () => listen(on.redis, { channels: [channel] })),
    );
    await on.redis.publish(channel, 'm');
    await until(() => all.every(({ told }) => told.length === 1));
    expect(await subscribers(channel)).toBe(1);
  });

  test('a connection that breaks: one gap, and then every message', async () => {
    const channel = newKey();
    const listening = await listen(on.redis, { channels: [channel], patterns: [`${channel}:*`] });
    const other = await listen(on.redis, { channels: [`${channel}:x`] });
    await on.direct.publish(channel, 'before');
    await until(() => listening.told.length === 1);
    await on.proxy.shut();
    await on.direct.publish(channel, 'missed');
    await sleep(150);
    await on.proxy.reopen();
    await until(() => listening.told.length === 2 && other.told.length === 1);
    for (let number = 0; number < 10; number += 1) {
      await on.direct.publish(channel, String(number));
      await on.direct.publish(`${channel}:x`, String(number));
    }
    await until(() => listening.told.length === 22 && other.told.length === 11);
    expect(listening.told.slice(0, 2)).toEqual(['before', 'GAP_REASON_CONNECTION_LOST']);
    expect(other.told).toEqual(['GAP_REASON_CONNECTION_LOST', ...Array.from('0123456789')]);
    const gap = listening.events.find((event) => event.gap)?.gap;
    expect(gap?.durationMs).toBeGreaterThan(140);
    expect(gap?.durationMs).toBeLessThan(5_000);
    expect(on.redis.events.filter((event) => event === 'gap connection-lost')).toHaveLength(2);
  });

  test('publishing goes on all the while: no number is told twice, and none is missing after a gap', async () => {
    const channel = newKey();
    const listening = await listen(on.redis, { channels: [channel] });
    let published = 0;
    const publishing = new AbortController();
    const publisher = (async () => {
      while (!publishing.signal.aborted) {
        await on.direct.publish(channel, String((published += 1)));
      }
    })();
    for (let round = 0; round < 5; round += 1) {
      await sleep(60);
      on.proxy.cut();
      await until(
        () => listening.told.filter((each) => each.startsWith('GAP')).length === round + 1,
      );
    }
    await sleep(60);
    publishing.abort();
    await publisher;
    await until(() => listening.told.at(-1) === String(published));
    const wrong = listening.told.filter((each, at) => {
      const previous = listening.told[at - 1] ?? '0';
      if (each.startsWith('GAP')) return false;
      return previous.startsWith('GAP')
        ? Number(each) <= Number(listening.told[at - 2] ?? 0)
        : Number(each) !== Number(previous) + 1;
    });
    expect(wrong).toEqual([]);
  });

  test('a server that says nothing is found out by asking it', async () => {
    await using quick = await openThrough(on.proxy, { commandTimeoutMs: 200 });
    const listening = await listen(quick, { channels: [newKey()] });
    on.proxy.stall();
    await until(() => quick.events.includes('disconnected ETIMEDOUT'));
    on.proxy.release();
    await until(() => listening.told.length === 1);
    expect(listening.told).toEqual(['GAP_REASON_CONNECTION_LOST']);
  });

  test('one who does not take messages loses them, is told so, and costs no memory; others lose nothing', async () => {
    const channel = newKey();
    let release = (): void => {};
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = await listen(on.redis, { channels: [channel] }, () => stuck);
    const quick = await listen(on.redis, { channels: [channel] });
    const payload = 'x'.repeat(10_000);
    for (let number = 0; number < 50; number += 1) await on.direct.publish(channel, payload);
    await until(() => quick.told.length === 50);
    release();
    await on.direct.publish(channel, 'last');
    await until(() => slow.told.at(-1) === 'last');
    expect(slow.told[0]).toBe('GAP_REASON_OVERFLOW');
    expect(slow.told.filter((each) => each.startsWith('GAP'))).toHaveLength(1);
    const dropped = Number(slow.events.find((event) => event.gap)?.gap?.dropped);
    expect(dropped + slow.told.length - 1).toBe(51);
    expect(slow.told.length).toBeLessThan(10);
  });

  test('while Redis is away it fails at once, and says when to try again', async () => {
    await on.proxy.shut();
    await expect(listen(on.redis, { channels: ['c'] })).rejects.toMatchObject({
      reason: 'REDIS_UNAVAILABLE',
    });
    await on.proxy.reopen();
    await listen(on.redis, { channels: ['c'] });
  });

  test('nothing to subscribe to is refused', async () => {
    await expect(listen(on.redis, {})).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  });

  test('a user who may not is told so', async () => {
    await on.direct.call('ACL', 'SETUSER', 'nosub', 'on', '>p', '~*', 'resetchannels', '+@all');
    const { connection } = redisOptions(on.server.url);
    await using limited = await openCommands([
      redisOptions(on.server.url, { connection: { ...connection, user: 'nosub', password: 'p' } }),
    ]);
    await limited.targets.opened();
    await expect(listen(limited, { channels: ['c'] })).rejects.toMatchObject({ kind: 'forbidden' });
  });

  test('the sidecar ends all of them when it stops', async () => {
    const listening = await listen(on.redis, { channels: [newKey()] });
    on.redis.targets.endSubscriptions(new HoldfastError('unavailable', 'DRAINING', 'over'));
    expect(await listening.ended).toMatchObject({ reason: 'DRAINING' });
    await expect(listen(on.redis, { channels: [newKey()] })).resolves.toBeDefined();
  });
});

describe('Publish', () => {
  test('counts receivers; sharded goes to those of shard channels', async () => {
    const channel = newKey();
    expect(await on.redis.publish(channel, 'm')).toBe(0);
    const shard = on.direct.duplicate();
    await shard.ssubscribe(channel);
    expect(await on.redis.publish(channel, 'm')).toBe(0);
    expect(await on.redis.publish(channel, 'm', true)).toBe(1);
    shard.disconnect();
  });

  test('a lost reply is told, and the message is not sent twice', async () => {
    const channel = newKey();
    const listening = await listen(on.redis, { channels: ['unrelated'] });
    const heard: string[] = [];
    const direct = on.direct.duplicate();
    direct.on('message', (_, text) => heard.push(text));
    await direct.subscribe(channel);
    on.proxy.rule = ({ type }) => (type === 'PUBLISH' ? { cut: 'after' } : undefined);
    await expect(on.redis.publish(channel, 'once')).rejects.toMatchObject({ reason: 'REPLY_LOST' });
    await sleep(100);
    expect(heard).toEqual(['once']);
    expect(listening.told).toEqual([]);
    direct.disconnect();
  });
});
