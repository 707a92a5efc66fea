import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis } from '../../../scripts/servers/redis.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { beside } from '../../postgres/database.test-kit.ts';
import { postgresAuthority } from './postgres-authority.test-kit.ts';
import { claimOf, newCall, openAuthority } from './redis-authority.test-kit.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

test('Redis: a holder that hears late that it was its turn keeps its lock', async () => {
  const redis = await startRedis();
  const observer = new Redis(redis.url);
  try {
    await using holder = await openAuthority(redis.url);
    const claim = claimOf('late');
    await holder.acquire(claim);
    const [channel = ''] = (await observer.pubsub('CHANNELS', 'holdfast:locks:*')) as string[];
    const id = channel.slice('holdfast:locks:'.length);
    const waiter = `${claim.leaseId} ${id} x 1 ${claim.owner}`;
    expect(await observer.publish(channel, `w4 late${waiter}`)).toBe(1);
    await sleep(100);
    expect(await holder.authority.release(claim)).toBe(true);
  } finally {
    observer.disconnect();
    await redis.stop();
  }
});

test('PostgreSQL: a holder that hears late that it was its turn keeps its lock', async () => {
  await using holder = postgresAuthority(database.url);
  const claim = claimOf('late');
  await holder.authority.acquire(claim, newCall(), performance.now() + 1_000);
  await beside(database.url, (client) =>
    client.query(
      `select pg_notify(channels[1], 'w ' || leases[1] || ' ' || name)
       from holdfast.lock_holders where name = 'late'`,
    ),
  );
  await sleep(100);
  expect(await holder.authority.release(claim)).toBe(true);
});
