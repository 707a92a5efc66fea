import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import { type SentinelServers, startSentinel } from '../../../scripts/servers/redis-sentinel.ts';
import { readRedisUrl } from '../../settings/redis-url.ts';
import { until, untilUp } from './faulty-redis.test-kit.ts';
import { type Commands, openCommands, redisOptions } from './operations.test-kit.ts';
import { type Load, type LoadReport, startLoad } from './redis-load.test-kit.ts';

const commandTimeoutMs = 1_000;

async function open(url: string): Promise<Commands> {
  const { encrypted: _, ...connection } = readRedisUrl(url, 'URL');
  const opened = await openCommands([
    redisOptions('redis://h:1', {
      connection: { ...connection, tls: undefined },
      commandTimeoutMs,
    }),
  ]);
  await opened.targets.opened();
  return opened;
}

/** How often each id is in the list. */
async function counts(url: string, listKey: string): Promise<Map<string, number>> {
  const redis = new Redis(url);
  const found = new Map<string, number>();
  for (const id of await redis.lrange(listKey, 0, -1)) found.set(id, (found.get(id) ?? 0) + 1);
  redis.disconnect();
  return found;
}

async function publish(url: string, channel: string, text: string): Promise<void> {
  const redis = new Redis(url);
  await redis.publish(channel, text);
  redis.disconnect();
}

/** What holds whatever happened to the server. */
function expectTruth(
  { strange, slowestMs, unknown, refused }: LoadReport,
  found: Map<string, number>,
): void {
  expect(strange).toEqual([]);
  // A script with an operation id is sent again for so long.
  expect(slowestMs).toBeLessThan(3 * commandTimeoutMs + 500);
  expect([...found].filter(([, times]) => times > 1)).toEqual([]);
  expect(refused.filter((id) => found.has(id))).toEqual([]);
  expect(unknown.length + refused.length).toBeGreaterThan(0);
}

/** Every message after the last gap arrives. */
async function expectMessages(load: Load, url: string, gaps: number): Promise<void> {
  await until(() => load.told.filter((each) => each === 'gap').length === gaps);
  const texts = Array.from({ length: 20 }, (_, number) => `${gaps}-${number}`);
  for (const text of texts) await publish(url, load.channel, text);
  await until(() => load.told.at(-1) === texts.at(-1));
  expect(load.told.slice(load.told.lastIndexOf('gap') + 1)).toEqual(texts);
}

describe('Redis down: commands fail clearly, and none runs twice', () => {
  let server: RedisServer;
  let commands: Commands;

  beforeAll(async () => {
    server = await startRedis({ saves: true });
    commands = await open(server.url);
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    await server.stop();
  });

  test('killed and started again, three times', async () => {
    const load = await startLoad(commands);
    for (let round = 1; round <= 3; round += 1) {
      await sleep(300);
      await server.kill();
      await sleep(200);
      await server.start();
      await untilUp(commands);
      await expectMessages(load, server.url, round);
    }
    const report = await load.stop();
    const found = await counts(server.url, load.listKey);
    expectTruth(report, found);
    // An append-only file is written before the answer.
    expect(report.pushed.filter((id) => !found.has(id))).toEqual([]);
    const direct = new Redis(server.url);
    expect(Number(await direct.get(load.counterKey))).toBe(report.operations);
    direct.disconnect();
  });

  test('paused for five seconds', async () => {
    const load = await startLoad(commands);
    await sleep(200);
    server.pause();
    await sleep(5_000);
    server.resume();
    await untilUp(commands);
    await expectMessages(load, server.url, 1);
    const report = await load.stop();
    // What was sent to it before runs late.
    await sleep(100);
    const found = await counts(server.url, load.listKey);
    expectTruth(report, found);
    expect(report.pushed.filter((id) => !found.has(id))).toEqual([]);
    const direct = new Redis(server.url);
    expect(Number(await direct.get(load.counterKey))).toBe(report.operations);
    direct.disconnect();
  });
});

describe('behind Sentinels', () => {
  let sentinel: SentinelServers;
  let commands: Commands;

  beforeAll(async () => {
    sentinel = await startSentinel();
    commands = await open(sentinel.url);
  });
  afterAll(async () => {
    await commands[Symbol.asyncDispose]();
    await sentinel.stop();
  });

  test('the master is found, and a master that is killed is followed by the next one', async () => {
    const load = await startLoad(commands);
    await sleep(300);
    const old = await sentinel.master();
    await old.kill();
    const next = await sentinel.failedOver(old);
    await untilUp(commands);
    await expectMessages(load, next.url, 1);
    const report = await load.stop();
    expectTruth(report, await counts(next.url, load.listKey));
    expect(next.port).not.toBe(old.port);
    const direct = new Redis(next.url);
    // The last operations before the kill may be lost with the old master, effect and reply together; none ran twice.
    expect(Number(await direct.get(load.counterKey))).toBeLessThanOrEqual(report.operations);
    direct.disconnect();
    await old.start();
  });

  test('Sentinels that are away: calls fail at once, and it is closed in time', async () => {
    const none = await open('redis+sentinel://127.0.0.1:1,127.0.0.1:2/mymaster');
    await expect(none.command(['PING'])).rejects.toMatchObject({
      reason: 'REDIS_UNAVAILABLE',
      metadata: { fault: 'SENTINELS_UNREACHABLE' },
    });
    const from = performance.now();
    await none[Symbol.asyncDispose]();
    expect(performance.now() - from).toBeLessThan(1_500);
  });

  test('a Sentinel that is away is passed over', async () => {
    await using one = await open(sentinel.url.replace('://', '://127.0.0.1:1,'));
    expect(await one.command(['PING'])).toEqual(Buffer.from('PONG'));
  });

  test('a name that the Sentinels do not know', async () => {
    await using none = await open(sentinel.url.replace('mymaster', 'nobody'));
    await expect(none.command(['PING'])).rejects.toMatchObject({ reason: 'REDIS_UNAVAILABLE' });
  });
});
