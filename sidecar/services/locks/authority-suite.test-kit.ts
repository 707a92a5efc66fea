import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { live, lockHistories } from './authority-histories.test-kit.ts';
import { Attempt, newClaim, type SuiteAuthority, untilWaiting } from './lock-attempt.test-kit.ts';

/** A server that grants locks, and how to reach it. */
export interface SuiteServer {
  open(): Promise<SuiteAuthority>;
  /** What is left on it of locks that begin so. */
  leftOf(prefix: string): Promise<number>;
}

/** What every authority promises, on a real server: tests. */
export function authoritySuite(server: SuiteServer): void {
  test('answers are those of a model, in any history, and nothing is left', async () => {
    const all = await Promise.all([server.open(), server.open(), server.open()]);
    await fc.assert(
      fc.asyncProperty(lockHistories, (history) => live(history, all)),
      { numRuns: 60, endOnFailure: true },
    );
    await expect.poll(() => server.leftOf('history')).toBe(0);
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()));
  });

  test('many at once, exclusive and shared, never hold it together who should not', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => server.open()));
    const name = `crowd ${randomUUID()}`;
    const inside = new Set<Attempt>();
    const faults: string[] = [];
    let last = 0n;
    const client = async (by: SuiteAuthority, number: number, waitMs: number): Promise<void> => {
      for (let round = 0; round < 12; round += 1) {
        const mode = (number + round) % 4 === 0 ? 'shared' : 'exclusive';
        const attempt = new Attempt(by, newClaim(name, { mode }), waitMs);
        const token = (await attempt.done)?.token;
        if (token === undefined) continue;
        for (const { claim } of inside) {
          if (mode === 'exclusive' || claim.mode === 'exclusive') faults.push('together');
        }
        if (token <= last && mode === 'exclusive') faults.push('an old token');
        if (mode === 'exclusive') last = token;
        inside.add(attempt);
        await sleep(round % 3);
        inside.delete(attempt);
        if (!(await attempt.release())) faults.push('lost');
      }
    };
    for (const waitMs of [60_000, 0, 0, 0]) {
      await Promise.all(all.flatMap((by) => [0, 1, 2].map((number) => client(by, number, waitMs))));
    }
    expect(faults).toEqual([]);
    expect(await server.leftOf(name)).toBe(0);
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()));
  });

  test('a thousand waiters of three sidecars get it in order', async () => {
    const all = await Promise.all([server.open(), server.open(), server.open()]);
    const name = `thousand ${randomUUID()}`;
    const holder = new Attempt(all[0], newClaim(name));
    await holder.done;
    const order: number[] = [];
    const attempts: Attempt[] = [];
    for (const by of all) {
      for (let count = 0; count < 334 && attempts.length < 1_000; count += 1) {
        const attempt = new Attempt(by, newClaim(name));
        const place = attempts.length;
        attempts.push(attempt);
        void attempt.done.then(() => {
          order.push(place);
          return attempt.release();
        });
      }
      await untilWaiting(by, name, attempts.length);
    }
    await holder.release();
    await Promise.all(attempts.map(({ done }) => done));
    expect(order).toEqual(order.map((_, at) => at));
    expect(order).toHaveLength(1_000);
    await expect.poll(() => server.leftOf(name)).toBe(0);
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()));
  });

  test('a waiter whose sidecar was killed is skipped without a pause', async () => {
    const [one, two, dead] = await Promise.all([server.open(), server.open(), server.open()]);
    const name = `dead ${randomUUID()}`;
    const holder = new Attempt(one, newClaim(name));
    await holder.done;
    for (let count = 1; count <= 5; count += 1) {
      void new Attempt(dead, newClaim(name));
      await untilWaiting(one, name, count);
    }
    const next = new Attempt(two, newClaim(name));
    await untilWaiting(one, name, 6);
    await dead.die();
    await sleep(50);
    const releasedAt = performance.now();
    await holder.release();
    await next.done;
    expect(next.state).toBe('granted');
    expect(performance.now() - releasedAt).toBeLessThan(1_000);
    await next.release();
    expect(await server.leftOf(name)).toBe(0);
    await Promise.all([one, two].map((each) => each[Symbol.asyncDispose]()));
  });

  test('a holder that is killed keeps it for its time to live, and then the first waiter has it', async () => {
    const [one, dead] = await Promise.all([server.open(), server.open()]);
    const name = `expires ${randomUUID()}`;
    const holder = new Attempt(dead, newClaim(name, { ttlMs: 400 }));
    await holder.done;
    const heldAt = performance.now();
    await dead.die();
    const next = new Attempt(one, newClaim(name));
    await next.done;
    const tookMs = performance.now() - heldAt;
    expect(tookMs).toBeGreaterThan(330);
    expect(tookMs).toBeLessThan(2_000);
    expect(next.granted?.token).toBeGreaterThan(holder.granted?.token ?? 0n);
    await next.release();
    await one[Symbol.asyncDispose]();
  });

  test('a new holder that ends sooner than the last one would have is not waited for longer', async () => {
    const [one, two, dead] = await Promise.all([server.open(), server.open(), server.open()]);
    const name = `sooner ${randomUUID()}`;
    const holder = new Attempt(one, newClaim(name, { ttlMs: 60_000 }));
    await holder.done;
    const short = new Attempt(dead, newClaim(name, { ttlMs: 1_400 }));
    await untilWaiting(one, name, 1);
    const next = new Attempt(two, newClaim(name));
    await untilWaiting(one, name, 2);
    await holder.release();
    await short.done;
    await dead.die();
    await next.done;
    expect(next.state).toBe('granted');
    expect(next.tookMs).toBeLessThan(3_000);
    await next.release();
    await Promise.all([one, two].map((each) => each[Symbol.asyncDispose]()));
  });

  test(
    'who gives up, or whose time is over, waits no more and leaves nothing',
    { retry: 2 },
    async () => {
      const [one, two] = await Promise.all([server.open(), server.open()]);
      const name = `gives up ${randomUUID()}`;
      const holder = new Attempt(one, newClaim(name));
      await holder.done;
      const gone = new Attempt(two, newClaim(name));
      await untilWaiting(one, name, 1);
      const stays = new Attempt(two, newClaim(name));
      await untilWaiting(one, name, 2);
      const late = new Attempt(two, newClaim(name), 150);
      gone.cancel();
      await Promise.all([late.done, gone.done]);
      expect([late.state, gone.state]).toEqual(['LOCK_HELD', 'CANCELLED']);
      expect(late.tookMs).toBeGreaterThan(145);
      expect(late.tookMs).toBeLessThan(1_000);
      await untilWaiting(one, name, 1);
      await holder.release();
      await stays.done;
      await stays.release();
      await expect.poll(() => server.leftOf(name)).toBe(0);
      await Promise.all([one, two].map((each) => each[Symbol.asyncDispose]()));
    },
  );
}
