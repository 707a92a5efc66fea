import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { temporaryFolder } from '../../../scripts/servers/temporary-folder.ts';
import {
  claimOf,
  newCall,
  newName,
  openAuthority,
  refusalOf,
  startAuthority,
  type TestAuthority,
  untilAnswers,
} from './redis-authority.test-kit.ts';

async function serverWith(options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

function sidecarOf({ url }: RedisServer, longestTtlMs: number): TestAuthority {
  const sidecar = startAuthority(url, { longestTtlMs });
  onTestFinished(() => sidecar[Symbol.asyncDispose]());
  return sidecar;
}

async function settledSidecarOf(
  { url }: RedisServer,
  longestTtlMs: number,
): Promise<TestAuthority> {
  const sidecar = await openAuthority(url, { longestTtlMs });
  onTestFinished(() => sidecar[Symbol.asyncDispose]());
  return sidecar;
}

const sinceMs = (fromMs: number): number => performance.now() - fromMs;

describe('nothing is granted before all that was granted before must have ended', () => {
  test('by a Redis that is new to locks: a try is refused with the time that is left, a waiter waits', async () => {
    const server = await serverWith();
    const sidecar = sidecarOf(server, 500);
    await sidecar.redis.opened();
    const from = performance.now();
    const waiting = sidecar.acquire(claimOf(newName()), 3_000);
    const error = await sidecar
      .acquire(claimOf(newName()))
      .catch((thrown: unknown) => HoldfastError.from(thrown));
    expect(error).toMatchObject({
      kind: 'unavailable',
      reason: 'LOCKS_SETTLING',
      target: 'default',
    });
    const { retryAfterMs = 0 } = error as HoldfastError;
    expect(retryAfterMs).toBeGreaterThan(300);
    expect(retryAfterMs).toBeLessThanOrEqual(501);
    expect(await refusalOf(sidecar.acquire(claimOf(newName()), 100))).toBe('LOCKS_SETTLING');
    await waiting;
    expect(sinceMs(from)).toBeGreaterThan(400);
    expect(sinceMs(from)).toBeLessThan(1_500);
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('granted');
  });

  test('by one that has lost its data: the holder is told, and nobody else has the lock before its end', async () => {
    const server = await serverWith();
    const [one, two] = [
      await settledSidecarOf(server, 1_500),
      await settledSidecarOf(server, 1_500),
    ];
    const held = claimOf(newName(), { ttlMs: 1_500 });
    await one.acquire(held);
    const waiting = two.acquire(claimOf(held.name), 10_000);
    await sleep(300);
    const [renewal] = await one.authority.renew([held]);
    const { sentAtMs } = renewal as { readonly sentAtMs: number };
    await server.restart('kill');
    await Promise.all([untilAnswers(one), untilAnswers(two)]);
    expect(await refusalOf(two.acquire(claimOf(held.name)))).toBe('LOCKS_SETTLING');
    expect(await one.authority.renew([held])).toEqual(['gone']);
    await waiting;
    expect(sinceMs(sentAtMs)).toBeGreaterThan(1_500);
    expect(sinceMs(sentAtMs)).toBeLessThan(6_000);
  });

  test('by one that has its data: what is known is renewed and released meanwhile', async () => {
    const dataDir = temporaryFolder('locks');
    const server = await serverWith({ dataDir, settings: { appendfsync: 'always' } });
    const sidecar = await settledSidecarOf(server, 1_000);
    const [held, other] = [
      claimOf(newName(), { ttlMs: 1_000 }),
      claimOf(newName(), { ttlMs: 1_000 }),
    ];
    const { token } = await sidecar.acquire(held);
    await sidecar.acquire(other);
    await server.restart();
    await untilAnswers(sidecar);
    const from = performance.now();
    expect(await sidecar.authority.renew([held])).not.toContain('gone');
    expect(await sidecar.authority.release(other)).toBe(true);
    expect(await refusalOf(sidecar.acquire(other))).toBe('LOCKS_SETTLING');
    // Neither to the owner itself: what the data says of it may be old.
    expect(await refusalOf(sidecar.acquire(claimOf(held.name, { owner: held.owner })))).toBe(
      'LOCKS_SETTLING',
    );
    await sleep(300);
    expect(await sidecar.authority.release(held)).toBe(true);
    const later = await sidecar.acquire(claimOf(held.name), 3_000);
    expect(sinceMs(from)).toBeGreaterThan(800);
    expect(later.token).toBeGreaterThan(token);
  });

  test('by one that was emptied', async () => {
    const server = await serverWith();
    const sidecar = await settledSidecarOf(server, 400);
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    await direct.flushall();
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('LOCKS_SETTLING');
    await sleep(450);
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('granted');
  });

  test('by one that was a replica for a while, although nobody was disconnected', async () => {
    const server = await serverWith();
    const sidecar = await settledSidecarOf(server, 400);
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    await direct.call('REPLICAOF', '127.0.0.1', '1');
    await direct.call('REPLICAOF', 'NO', 'ONE');
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('LOCKS_SETTLING');
    await sleep(450);
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('granted');
  });

  test('but not when a master has had no replica for long, and takes a new id for that', async () => {
    const server = await serverWith({
      settings: { 'repl-backlog-ttl': '1', 'repl-diskless-sync-delay': '0' },
    });
    const sidecar = await settledSidecarOf(server, 1_500);
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    const idOf = async (): Promise<string | undefined> =>
      /master_replid:(\w+)/.exec(await direct.info('replication'))?.[1];
    const replica = await serverWith({ settings: { replicaof: `127.0.0.1 ${server.port}` } });
    while (!(await direct.info('replication')).includes('state=online')) await sleep(20);
    const before = await idOf();
    await replica.kill();
    while ((await idOf()) === before) await sleep(50);
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('granted');
  });

  test('but a longer time to live that the policy allows later makes nothing wait', async () => {
    const server = await serverWith();
    const [one, two] = [await settledSidecarOf(server, 100), sidecarOf(server, 60_000)];
    await two.redis.opened();
    expect(await refusalOf(two.acquire(claimOf(newName(), { ttlMs: 60_000 })))).toBe('granted');
    expect(await refusalOf(one.acquire(claimOf(newName())))).toBe('granted');
  });

  test('and the longest time to live that was ever granted counts, though the policy has a shorter one now', async () => {
    const dataDir = temporaryFolder('locks');
    const server = await serverWith({ dataDir, settings: { appendfsync: 'always' } });
    const sidecar = await settledSidecarOf(server, 100);
    await sidecar.acquire(claimOf(newName(), { ttlMs: 60_000 }));
    await server.restart();
    await untilAnswers(sidecar);
    const error = await sidecar
      .acquire(claimOf(newName()))
      .catch((thrown: unknown) => HoldfastError.from(thrown));
    expect((error as HoldfastError).retryAfterMs).toBeGreaterThan(50_000);
  });
});

describe('a Redis that cannot keep locks is refused', () => {
  test('because it may evict them', async () => {
    const server = await serverWith({
      settings: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' },
    });
    const sidecar = sidecarOf(server, 100);
    await sidecar.redis.opened();
    await expect(sidecar.acquire(claimOf(newName()), 1_000)).rejects.toMatchObject({
      reason: 'LOCK_UNSUPPORTED',
      message:
        'Redis "default" cannot grant locks: it may evict locks (maxmemory-policy must be noeviction)',
    });
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    await direct.config('SET', 'maxmemory-policy', 'noeviction');
    expect(await refusalOf(sidecar.acquire(claimOf(newName()), 1_000))).toBe('granted');
  });

  test('because it is a Cluster, or part of one', async () => {
    const server = await serverWith({ settings: { 'cluster-enabled': 'yes' } });
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    await direct.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await sleep(100);
    const part = sidecarOf(server, 100);
    await part.redis.opened();
    expect(await refusalOf(part.acquire(claimOf(newName())))).toBe('LOCK_UNSUPPORTED');
    const cluster = startAuthority(server.url.replace('redis:', 'redis+cluster:'));
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    const claim = claimOf(newName());
    expect(await refusalOf(cluster.acquire(claim))).toBe('LOCK_UNSUPPORTED');
    expect(await refusalOf(cluster.acquire(claim, 100))).toBe('LOCK_UNSUPPORTED');
    expect(await refusalOf(cluster.authority.release(claim))).toBe('LOCK_UNSUPPORTED');
    expect(await refusalOf(cluster.authority.renew([claim]))).toBe('LOCK_UNSUPPORTED');
    expect(await refusalOf(cluster.authority.list('', 1, newCall()))).toBe('LOCK_UNSUPPORTED');
  });

  test('because its user may not subscribe: then nobody can be woken, and only who does not wait is served', async () => {
    const server = await serverWith();
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    await direct.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', 'resetchannels');
    const sidecar = startAuthority(server.url.replace('//', '//app:secret@'));
    onTestFinished(() => sidecar[Symbol.asyncDispose]());
    await expect(sidecar.acquire(claimOf(newName()), 1_000)).rejects.toMatchObject({
      kind: 'forbidden',
      reason: 'REDIS_ERROR',
    });
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('LOCKS_SETTLING');
    await sleep(250);
    expect(await refusalOf(sidecar.acquire(claimOf(newName())))).toBe('granted');
  });

  test.each([
    ['may not run INFO', '-info', 'its user may not run INFO'],
    ['may not run scripts', '-evalsha', 'its user may not run the scripts that keep them'],
  ])('because its user %s', async (_, rule, why) => {
    const server = await serverWith();
    const direct = new Redis(server.url);
    onTestFinished(() => direct.disconnect());
    await direct.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', rule);
    const sidecar = startAuthority(server.url.replace('//', '//app:secret@'));
    onTestFinished(() => sidecar[Symbol.asyncDispose]());
    await sidecar.redis.opened();
    await expect(sidecar.acquire(claimOf(newName()))).rejects.toMatchObject({
      reason: 'LOCK_UNSUPPORTED',
      message: `Redis "default" cannot grant locks: ${why}`,
    });
  });
});
