import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type ClusterNode,
  type ClusterServers,
  startCluster,
} from '../../../scripts/servers/redis-cluster.ts';
import { readRedisUrl } from '../../settings/redis-url.ts';
import { keySlot } from '../../redis/key-slot.ts';
import type { RedisOptions } from '../../redis/redis-options.ts';
import { newKey, until } from './faulty-redis.test-kit.ts';
import {
  cancel,
  type Commands,
  newCall,
  openCommands,
  redisOptions,
} from './operations.test-kit.ts';

let cluster: ClusterServers;
let redis: Commands;
const count = "return redis.call('INCR', KEYS[1])";
const slotOf = (key: string): number => keySlot(Buffer.from(key));

async function open(url: string, more: Partial<RedisOptions> = {}): Promise<Commands> {
  const { encrypted: _, ...connection } = readRedisUrl(url, 'URL');
  const opened = await openCommands([
    redisOptions('redis://h:1', { connection: { ...connection, tls: undefined }, ...more }),
  ]);
  await opened.targets.opened();
  return opened;
}

function otherThan(node: ClusterNode): ClusterNode {
  const other = cluster.nodes.find(({ id }) => id !== node.id);
  if (other === undefined) throw new Error('there are three');
  return other;
}

/** Keys that no other test has, one at each node. */
const keyAtEach = async (): Promise<string[]> =>
  Promise.all(
    cluster.nodes.map(async ({ id }) => {
      for (;;) {
        const key = newKey();
        if ((await cluster.ownerOf(slotOf(key))).id === id) return key;
      }
    }),
  );

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  redis = await open(cluster.url);
});
afterEach(() => redis[Symbol.asyncDispose]());

describe('a Cluster', () => {
  test('commands go where their keys are, whichever nodes the URL names', async () => {
    const keys = await keyAtEach();
    await Promise.all(keys.map((key) => redis.command(['SET', key, key])));
    expect(await redis.pipeline(keys.map((key) => ['GET', key]))).toEqual(
      keys.map((key) => Buffer.from(key)),
    );
    for (const [at, { direct }] of cluster.nodes.entries()) {
      expect(await direct.get(keys[at] ?? '')).toBe(keys[at]);
    }
    expect(redis.targets.readings).toMatchObject([{ readyConnections: 6, wantedConnections: 6 }]);
    expect(await redis.command(['PING'])).toEqual(Buffer.from('PONG'));
  });

  test('scripts, also with an operation id, blocking commands and atomic pipelines, at each node', async () => {
    for (const key of await keyAtEach()) {
      const options = { keys: [key], operationId: randomUUID() };
      expect(await redis.script(count, options)).toBe(1n);
      expect(await redis.script(count, options)).toBe(1n);
      expect(
        await redis.pipeline(
          [
            ['INCR', key],
            ['DEL', key],
          ],
          { atomic: true },
        ),
      ).toEqual([2n, 1n]);
      const popped = redis.command(['BLPOP', key, '5']);
      await redis.command(['RPUSH', key, 'v']);
      expect(await popped).toEqual([Buffer.from(key), Buffer.from('v')]);
    }
    expect(await redis.script('return 5', { operationId: randomUUID() })).toBe(5n);
  });

  test('keys of different slots are refused, with words that help', async () => {
    const [a = '', b = ''] = await keyAtEach();
    await expect(redis.command(['MGET', a, b])).rejects.toMatchObject({
      kind: 'invalid',
      metadata: { redis_code: 'CROSSSLOT' },
      message: expect.stringContaining('hash to the same slot') as string,
    });
    await expect(
      redis.pipeline(
        [
          ['INCR', a],
          ['INCR', b],
        ],
        { atomic: true },
      ),
    ).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: expect.stringContaining('in braces') as string,
    });
    await expect(redis.script(count, { keys: [a, b] })).rejects.toMatchObject({
      metadata: { redis_code: 'CROSSSLOT' },
    });
    await expect(redis.command(['WAIT', '1', '1'])).rejects.toMatchObject({
      reason: 'COMMAND_REFUSED',
    });
  });

  test('messages reach subscribers wherever they are', async () => {
    const told: string[] = [];
    const call = newCall();
    let standing = false;
    const ended = redis.subscribe(
      { channels: ['news'] },
      ({ message }) => {
        standing = true;
        if (message) told.push(String(message.payload));
      },
      call,
    );
    await until(() => standing);
    for (const { direct } of cluster.nodes) await direct.publish('news', 'from a node');
    await redis.publish('news', 'from us');
    await until(() => told.length === 4);
    cancel(call);
    await expect(ended).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  test('while a slot moves, every command runs once: MOVED and ASK are followed', async () => {
    const tag = newKey();
    const slot = slotOf(tag);
    const from = await cluster.ownerOf(slot);
    const to = otherThan(from);
    const keys = Array.from({ length: 40 }, (_, number) => `{${tag}}${number}`);
    await Promise.all(keys.map((key) => redis.command(['SET', key, '0'])));
    const lone = `{${tag}}list`;
    const running = new AbortController();
    let rounds = 0;
    const failures: unknown[] = [];
    const load = (async () => {
      while (!running.signal.aborted) {
        rounds += 1;
        const work = [
          ...keys.map((key) => redis.command(['INCR', key])),
          redis.pipeline(keys.map((key) => ['INCR', key])),
          redis.script(count, { keys: [`{${tag}}script`] }),
          redis.pipeline(
            [
              ['INCR', `{${tag}}atomic`],
              ['INCR', `{${tag}}atomic`],
            ],
            { atomic: true },
          ),
        ];
        for (const each of await Promise.allSettled(work)) {
          if (each.status === 'rejected') failures.push(each.reason);
          else if (Array.isArray(each.value)) {
            const outcomes = each.value as unknown[];
            failures.push(...outcomes.filter((outcome) => typeof outcome !== 'bigint'));
          }
        }
        await sleep(1);
      }
    })();
    const popped = redis.command(['BLPOP', lone, '10']);
    await sleep(30);
    await cluster.beginMove(slot, to);
    await sleep(30);
    for (let part = 0; part < 5; part += 1) {
      await cluster.moveKeys(slot, to, 10);
      await sleep(20);
    }
    await cluster.moveKeys(slot, to, 1_000);
    await cluster.endMove(slot, to);
    await sleep(100);
    running.abort();
    await load;
    await redis.command(['RPUSH', lone, 'v']);
    expect(await popped).toEqual([Buffer.from(lone), Buffer.from('v')]);
    expect(failures).toEqual([]);
    expect(rounds).toBeGreaterThan(10);
    for (const key of keys) expect(Number(await to.direct.get(key))).toBe(2 * rounds);
    expect(await to.direct.mget(`{${tag}}script`, `{${tag}}atomic`)).toEqual([
      String(rounds),
      String(2 * rounds),
    ]);
  });

  test('a pipeline keeps its order while its slot moves', async () => {
    const tag = newKey();
    const slot = slotOf(tag);
    const from = await cluster.ownerOf(slot);
    const to = otherThan(from);
    const list = `{${tag}}list`;
    let pushed = 0;
    const push = async (): Promise<void> => {
      const words = Array.from({ length: 50 }, () => ['RPUSH', list, String((pushed += 1))]);
      await redis.pipeline(words);
    };
    await push();
    await cluster.beginMove(slot, to);
    await push();
    await cluster.moveKeys(slot, to, 10);
    await push();
    await cluster.endMove(slot, to);
    await push();
    const stored = (await to.direct.lrange(list, 0, -1)).map(Number);
    expect(stored).toEqual(Array.from({ length: 200 }, (_, number) => number + 1));
  });

  test('a node that is killed: others go on; when it is back, so are its keys', async () => {
    const keys = await keyAtEach();
    const [down] = cluster.nodes;
    await down?.server.kill();
    const [first = '', ...others] = keys;
    await until(async () => {
      const failure = await redis.command(['GET', first]).catch((error: unknown) => error);
      return (failure as { reason?: string } | null)?.reason === 'REDIS_UNAVAILABLE';
    });
    // Until the Cluster itself sees that a third of its slots is gone.
    for (const key of others) expect(await redis.command(['INCR', key])).toBe(1n);
    await down?.server.start();
    await until(() =>
      redis.command(['GET', first]).then(
        () => true,
        () => false,
      ),
    );
  });
});

test('one node that knows the others is enough; those that are away are passed over', async () => {
  const port = cluster.nodes[2]?.server.port;
  await using third = await open(`redis+cluster://127.0.0.1:1,127.0.0.1:${port}`);
  for (const key of await keyAtEach()) expect(await third.command(['INCR', key])).toBe(1n);
});

test('a Cluster that is away: calls fail at once', async () => {
  await using none = await open('redis+cluster://127.0.0.1:1');
  const from = performance.now();
  await expect(none.command(['GET', 'k'])).rejects.toMatchObject({
    kind: 'unavailable',
    reason: 'REDIS_UNAVAILABLE',
  });
  await expect(none.pipeline([['GET', 'k']], { atomic: true })).rejects.toMatchObject({
    reason: 'REDIS_UNAVAILABLE',
  });
  await expect(none.command(['BLPOP', 'k', '1'])).rejects.toMatchObject({
    reason: 'REDIS_UNAVAILABLE',
  });
  expect(performance.now() - from).toBeLessThan(500);
});

test('a user of the ACL, at every node', async () => {
  for (const { direct } of cluster.nodes) {
    await direct.call('ACL', 'SETUSER', 'app', 'on', '>s3cret', '~*', '&*', '+@all');
  }
  await using app = await open(cluster.url.replace('://', '://app:s3cret@'));
  for (const key of await keyAtEach()) expect(await app.command(['INCR', key])).toBe(1n);
});

test('a server that is no Cluster is told from one', async () => {
  await using single = await open(`redis://127.0.0.1:${cluster.nodes[0]?.server.port}`);
  const [, elsewhere = ''] = await keyAtEach();
  await expect(single.command(['GET', elsewhere])).rejects.toMatchObject({
    message: expect.stringContaining('redis+cluster://') as string,
  });
});
