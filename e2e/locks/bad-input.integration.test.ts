import { describe, expect, test } from 'vitest';
import { reasonOf } from './lock-client.ts';
import { twoSidecars } from './two-sidecars.test-kit.ts';

describe.each(['Redis', 'Postgres'] as const)('over %s', (authority) => {
  const two = twoSidecars(authority, 1_000);
  const failure = async (work: Promise<unknown>): Promise<{ reason: string; message: string }> =>
    work.then(
      () => ({ reason: 'done', message: '' }),
      (error: unknown) => ({ reason: reasonOf(error), message: (error as Error).message }),
    );

  const day = 86_400_000;
  const names = (count: number): string[] => Array.from({ length: count }, (_, nth) => `n${nth}`);
  test.each<[string, string | string[], object, RegExp]>([
    ['a time to live of a day', 'a', { ttlMs: day }, /^ttl_ms is 86400000; it is 100 to 1000/],
    ['a time to live below 100 ms', 'a', { ttlMs: 99 }, /^ttl_ms is 99/],
    ['an empty name', '', {}, /no name/],
    ['a name of 10 KB', 'x'.repeat(10_240), {}, /longer than 200 bytes/],
    ['a name with U+0000', 'a\0b', {}, /U\+0000/],
    ['no names', [], {}, /names is empty/],
    ['17 names', names(17), {}, /17 entries; at most 16/],
    ['a name twice', ['a', 'a'], {}, /twice/],
    ['a semaphore of 0', 'a', { mode: 'semaphore', permits: 0 }, /permits is 0/],
    ['a semaphore of a million', 'a', { mode: 'semaphore', permits: 1_000_000 }, /permits is/],
    ['a semaphore with a fence', 'a', { mode: 'semaphore', permits: 2, fence: 'default' }, /fence/],
    ['permits without a semaphore', 'a', { permits: 2 }, /semaphores/],
    ['a long owner', 'a', { owner: 'o'.repeat(201) }, /owner is longer/],
    ['a wait of more than a day', 'a', { waitMs: day + 1 }, /wait_ms/],
    ['a hold of a day', 'a', { maxHoldMs: day }, /max_hold_ms/],
  ])('%s is refused', async (_, asked, options, message) => {
    const refused = await failure(two.client(0).locks().acquire(asked, options));
    expect(refused.reason).toBe('INVALID_REQUEST');
    expect(refused.message).toMatch(message);
  });

  test('a fence of a pool that is not there is refused', async () => {
    const refused = await failure(two.client(0).locks().acquire('a', { fence: 'nowhere' }));
    expect(refused.reason).toBe('UNKNOWN_POOL');
    await (await two.client(1).locks().acquire('a', { waitMs: 500 })).release();
  });

  test('a time to live of 0 is that of the policy', async () => {
    const holdfast = two.client(0);
    const name = two.newName();
    const lock = await holdfast.locks().acquire(name, { ttlMs: 0 });
    const [held] = (await holdfast.locks().list(name)).locks;
    const leftMs = held?.holders[0]?.expiresInMs ?? 0;
    expect(leftMs).toBeGreaterThan(500);
    expect(leftMs).toBeLessThanOrEqual(1_001);
    await lock.release();
  });

  test('the lease of a stranger, of another sidecar, and one that was released, name nothing', async () => {
    const [here, there] = [two.client(0), two.client(1)];
    const lock = await here.locks().acquire(two.newName(), { fence: 'default' });
    const work = (from: typeof here, leaseId: string) =>
      failure(from.database().transaction((tx) => tx.query('select 1'), { locks: [{ leaseId }] }));
    expect((await work(here, 'nobody')).reason).toBe('UNKNOWN_LEASE');
    expect((await work(there, lock.leaseId)).reason).toBe('UNKNOWN_LEASE');
    expect((await work(here, lock.leaseId)).reason).toBe('done');
    await lock.release();
    expect((await work(here, lock.leaseId)).reason).toBe('UNKNOWN_LEASE');
  });

  test('what was taken away cannot be released or used', async () => {
    const [here, there] = [two.client(0), two.client(1)];
    const name = two.newName();
    const lock = await here.locks().acquire(name, { fence: 'default' });
    expect(await there.locks().forceRelease(name)).toBe(1);
    await expect.poll(() => lock.signal.aborted).toBe(true);
    expect((await failure(lock.release())).reason).toBe('LOCK_LOST');
    const work = here.database().transaction((tx) => tx.query('select 1'), { locks: [lock] });
    expect((await failure(work)).reason).toBe('LOCK_LOST');
  });
});
