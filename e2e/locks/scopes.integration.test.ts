import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { connect, type Lock } from '../../clients/typescript/index.ts';
import { randomFrom } from '../soak/random.ts';
import { FleetSidecar } from './fleet-sidecar.ts';
import { reasonOf } from './lock-client.ts';
import { lockPolicy } from './lock-policy.ts';
import { twoSidecars } from './two-sidecars.test-kit.ts';

const ttlMs = 1_500;
/** Far less than its time to live: it was released, and has not ended by itself. */
const soonMs = 700;

describe.each(['Redis', 'Postgres'] as const)('over %s', (authority) => {
  const two = twoSidecars(authority, ttlMs);

  test('an owner has it again on either sidecar with the same token, and it is free at its last release', async () => {
    const [here, there] = [two.client(0).locks(), two.client(1).locks()];
    const name = two.newName();
    const owned = { owner: `owner of ${name}`, waitMs: 0 };
    const first = await here.acquire(name, owned);
    const again = [await there.acquire(name, owned), await here.acquire(name, owned)];
    expect(again.map((lock) => lock.token())).toEqual([first.token(), first.token()]);
    expect(new Set([first, ...again].map((lock) => lock.leaseId)).size).toBe(3);
    expect((await here.list(name)).locks[0]?.holders).toMatchObject([{ count: 3 }]);
    for (const lock of [first, ...again]) {
      const refused = await there.acquire(name, { waitMs: 0 }).then(() => 'got it', reasonOf);
      expect(refused).toBe('LOCK_HELD');
      await lock.release();
    }
    const next = await there.acquire(name, { waitMs: 0 });
    expect(next.token()).toBeGreaterThan(first.token());
    await next.release();
  });

  describe('it is released at once when the scope ends', () => {
    interface Way {
      readonly how: string;
      readonly fence?: string;
      readonly work: (lock: Lock, parts: { readonly close: () => Promise<void> }) => Promise<void>;
    }
    const ways: readonly Way[] = [
      { how: 'in order', work: async () => {} },
      {
        how: 'with an error',
        work: async () => {
          await sleep(1);
          throw new Error('of the work');
        },
      },
      {
        how: 'with an abort',
        work: async () => {
          await sleep(10_000, undefined, { signal: AbortSignal.timeout(20) });
        },
      },
      { how: 'with the end of the session', work: async (_, { close }) => close() },
      {
        how: 'after a second release in between',
        work: async (lock) => {
          await lock.release();
          await lock.release();
        },
      },
    ];
    test.each(ways)('$how', async ({ work }) => {
      const holdfast = two.client(0);
      const name = two.newName();
      const close = (): Promise<void> => holdfast.close({ graceMs: 0 });
      const done = holdfast
        .locks()
        .withLock(name, {}, (lock) => work(lock, { close }))
        .catch(() => {});
      const startedAt = performance.now();
      await done;
      const next = await two
        .client(1)
        .locks()
        .acquire(name, { waitMs: ttlMs * 2 });
      expect(performance.now() - startedAt).toBeLessThan(soonMs);
      await next.release();
    });

    test('with a transaction that fails', async () => {
      const holdfast = two.client(0);
      const name = two.newName();
      const failing = holdfast
        .locks()
        .withLock(name, { fence: 'default' }, (lock) =>
          holdfast.database().transaction((tx) => tx.query('select 1 / 0'), { locks: [lock] }),
        );
      expect(await failing.then(() => 'done', reasonOf)).toBe('DATABASE_ERROR');
      await (await two.client(1).locks().acquire(name, { waitMs: soonMs })).release();
    });
  });

  test('when its sidecar is killed the holder is told at once, and the lock is free when its time is over', async () => {
    const policy = lockPolicy({ authority, ttlMs, maxHoldMs: 60_000 });
    const sidecar = new FleetSidecar({
      name: 'killed',
      policy,
      env: two.env,
      shiftMs: 0,
      record: () => {},
    });
    await sidecar.start();
    const holdfast = connect({ address: sidecar.address });
    try {
      const name = two.newName();
      const lock = await holdfast.locks().acquire(name);
      const heldAt = performance.now();
      await sidecar.kill();
      await expect.poll(() => lock.signal.aborted, { timeout: soonMs }).toBe(true);
      expect(lock.signal.reason).toMatchObject({ metadata: { cause: 'session' } });
      const next = await two.client(1).locks().acquire(name);
      const waitedMs = performance.now() - heldAt;
      expect(next.token()).toBeGreaterThan(lock.token());
      expect(waitedMs).toBeGreaterThan(ttlMs - 100);
      expect(waitedMs).toBeLessThan(ttlMs * 2);
      await next.release();
    } finally {
      await holdfast.close({ graceMs: 0 });
      await sidecar.stop();
    }
  });

  test('tokens grow from holder to holder, whichever sidecar grants, in whatever mode, released or lost', async () => {
    const name = two.newName();
    const random = randomFrom(7);
    let last = 0n;
    for (let nth = 0; nth < 40; nth += 1) {
      const holdfast = two.client(random() < 0.5 ? 0 : 1);
      const mode = random() < 0.5 ? 'exclusive' : 'shared';
      const lock = await holdfast.locks().acquire(name, { mode });
      expect(lock.token()).toBeGreaterThan(last);
      last = lock.token();
      if (nth % 8 === 0) await holdfast.locks().forceRelease(name);
      else if (nth % 8 === 4) await holdfast.close({ graceMs: 0 });
      else await lock.release();
    }
  });

  test('150 random sets of locks that cross each other are all had: nobody waits for ever', async () => {
    const seed = Math.floor(Math.random() * 2 ** 30);
    console.log(`crossed locks, seed ${seed}`);
    const random = randomFrom(seed);
    const names = Array.from({ length: 6 }, () => two.newName());
    const clients = [two.client(0), two.client(1), two.client(0), two.client(1)];
    let had = 0;
    await Promise.all(
      Array.from({ length: 150 }, async (_, nth) => {
        const wanted = names
          .map((name) => ({ name, key: random() }))
          .toSorted((a, b) => a.key - b.key)
          .slice(0, 2 + Math.floor(random() * 3))
          .map(({ name }) => name);
        const mode = random() < 0.3 ? 'shared' : 'exclusive';
        const locks = clients[nth % clients.length]?.locks();
        await locks?.withLock(wanted, { mode }, async () => {
          await sleep(random() * 2);
          had += 1;
        });
      }),
    );
    expect(had).toBe(150);
  });
});
