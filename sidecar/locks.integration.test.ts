import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import { startRedis, type RedisServer } from '../scripts/servers/redis.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from './sidecar.test-kit.ts';

let database: TestDatabase;
let redis: RedisServer;
beforeAll(async () => {
  database = await testDatabase();
  redis = await startRedis();
});
afterAll(async () => {
  await database.drop();
  await redis.stop();
});

describe.each(['Redis', 'Postgres'] as const)('locks of %s', (authority) => {
  let sidecar: TestSidecar;
  let other: TestSidecar;
  let one: Holdfast;
  let two: Holdfast;
  beforeAll(async () => {
    const locks = { authority, ttlMs: 500, maxHoldMs: 20_000 };
    const options = { databaseUrl: database.url, redisUrl: redis.url, locks };
    sidecar = await startSidecar(options);
    other = await startSidecar(options);
    one = connect({ address: sidecar.address });
    two = connect({ address: other.address, transport: 'unary' });
    // A server that is new to locks settles first.
    await (await one.locks().acquire('first')).release();
  });
  afterAll(async () => {
    await one.close();
    await two.close();
    await sidecar.stop();
    await other.stop();
  });

  test('are held by one, and then by the next, in another sidecar', async () => {
    const lock = await one.locks().acquire('a');
    await expect(two.locks().acquire('a', { waitMs: 0 })).rejects.toMatchObject({
      reason: 'LOCK_HELD',
    });
    const waiting = two.locks().acquire('a', { deadlineMs: 5_000 });
    await sleep(1_200); // renewed meanwhile
    expect(lock.signal.aborted).toBe(false);
    await lock.release();
    await using next = await waiting;
    expect(next.token()).toBeGreaterThan(lock.token());
  });

  test('go with the session', async () => {
    const gone = connect({ address: sidecar.address });
    await gone.locks().acquire('b');
    await gone.close();
    await using lock = await two.locks().acquire('b', { waitMs: 300 });
    expect(lock.names).toEqual(['b']);
  });

  test.each(['session', 'stream'] as const)('that are forced are told at once (%s)', async (by) => {
    const holder = by === 'session' ? one : two;
    const lock = await holder.locks().acquire('c');
    expect((await one.locks().list('c')).locks).toMatchObject([
      { name: 'c', holders: [{ count: 1 }] },
    ]);
    expect(await one.locks().forceRelease('c')).toBe(1);
    await expect.poll(() => lock.signal.aborted, { timeout: 400 }).toBe(true);
    expect(lock.signal.reason).toMatchObject({
      reason: 'LOCK_LOST',
      metadata: { cause: 'forced' },
    });
    await expect(lock.release()).rejects.toMatchObject({ reason: 'LOCK_LOST' });
  });

  test('with a fence: three lines, and a transaction under a lock that was taken away cannot commit', async () => {
    const db = one.database();
    await db.query('create table if not exists fenced (n int)');
    await one
      .locks()
      .withLock('d', { fence: 'default' }, (lock) =>
        db.transaction((tx) => tx.query('insert into fenced values (1)'), { locks: [lock] }),
      );
    const lock = await one.locks().acquire('d', { fence: 'default' });
    const tx = await db.begin({ locks: [lock] });
    await tx.query('insert into fenced values (2)');
    await two.locks().forceRelease('d');
    await using next = await two.locks().acquire('d', { fence: 'default', deadlineMs: 5_000 });
    expect(next.token()).toBeGreaterThan(lock.token());
    await expect(tx.commit()).rejects.toMatchObject({ code: 'ABORTED' });
    const { rows } = await db.query('select n from fenced');
    expect(rows).toEqual([{ n: 1 }]);
    await db.query('drop table fenced');
  });

  test('a transaction under a lock that is lost is rolled back at once', async () => {
    const db = one.database();
    const lock = await one.locks().acquire('e', { fence: 'default' });
    await using tx = await db.begin({ locks: [lock] });
    await tx.query('select 1');
    await one.locks().forceRelease('e');
    await expect.poll(() => tx.isOver, { timeout: 500 }).toBe(true);
    await expect(tx.query('select 1')).rejects.toMatchObject({ reason: 'LOCK_LOST' });
  });

  test('several at once, crossed, by many: nobody waits for ever', async () => {
    const names = ['x', 'y', 'z'];
    const held = new Set<string>();
    const worker = async (nth: number): Promise<void> => {
      for (let round = 0; round < 5; round += 1) {
        const mine = names.filter((_, at) => (nth + at + round) % 3 !== 0).toReversed();
        const locks = (nth % 2 === 0 ? one : two).locks();
        await using lock = await locks.acquire(mine, { deadlineMs: 20_000 });
        for (const name of lock.names) {
          expect(held.has(name)).toBe(false);
          held.add(name);
        }
        await sleep(1);
        for (const name of lock.names) held.delete(name);
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, nth) => worker(nth)));
  });
});
