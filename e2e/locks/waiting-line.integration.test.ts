import { describe, expect, test } from 'vitest';
import type { Holdfast } from '../../clients/typescript/index.ts';
import { orderViolations, violationsOf } from './checker.ts';
import { everybody, type LockEvent, watchPauses } from './history.ts';
import { holdsOf } from './holds.ts';
import { LockClient, type Wish } from './lock-client.ts';
import { twoSidecars } from './two-sidecars.test-kit.ts';

const ttlMs = 3_000;

const wish = (name: string): Wish => ({
  names: [name],
  mode: 'exclusive',
  permits: 1,
  ttlMs,
  // The last of a thousand on a busy machine.
  waitMs: 170_000,
  owner: '',
  fence: '',
  holdMs: 0,
});

describe.each(['Redis', 'Postgres'] as const)('over %s', (authority) => {
  // By one connection requests arrive in the order in which they were sent.
  const two = twoSidecars(authority, ttlMs, { min: 0, max: 1 });

  /** Who waits at each of two sidecars, and what they see. */
  function waiters(): { clients: LockClient[]; events: LockEvent[] } {
    const events: LockEvent[] = [];
    const record = (event: LockEvent): void => void events.push(event);
    const clients = two.sidecars.map(
      ({ address }, at) => new LockClient({ client: `c${at}`, sidecar: `s${at}`, address, record }),
    );
    return { clients, events };
  }

  let lister: Holdfast | undefined;
  async function untilWaiting(name: string, count: number): Promise<void> {
    lister ??= two.client(0);
    const locks = lister.locks();
    const waiting = async (): Promise<number> => (await locks.list(name)).locks[0]?.waiting ?? 0;
    await expect.poll(waiting, { timeout: 60_000, interval: 1 }).toBe(count);
  }

  test('who asks when others wait already, at either sidecar, is served after them', async () => {
    const { clients, events } = waiters();
    const name = two.newName();
    const stopWatch = watchPauses(everybody, (event) => events.push(event));
    const held = await two.client(0).locks().acquire(name);
    const all: Promise<void>[] = [];
    for (let nth = 0; nth < 40; nth += 1) {
      all.push(clients[nth % 2]?.take({ ...wish(name), holdMs: nth % 3 }) ?? Promise.resolve());
      await untilWaiting(name, nth + 1);
    }
    await held.release();
    await Promise.all(all);
    stopWatch();
    const holds = holdsOf(events);
    expect(holds).toHaveLength(40);
    expect(violationsOf(holds)).toEqual([]);
    expect(orderViolations(holds, 0)).toEqual([]);
    await Promise.all(clients.map((each) => each.close()));
  });

  test('a thousand who wait for one lock are served in order', { timeout: 180_000 }, async () => {
    const { clients, events } = waiters();
    const name = two.newName();
    const held = await two.client(0).locks().acquire(name);
    const all: Promise<void>[] = [];
    // A sidecar sends what it is asked in that order; the two of them take turns by the hundred.
    for (let nth = 0; nth < 1_000; nth += 1) {
      const at = Math.floor(nth / 100) % 2;
      all.push(clients[at]?.take(wish(name)) ?? Promise.resolve());
      if (nth % 100 === 99) await untilWaiting(name, nth + 1);
    }
    await held.release();
    await Promise.all(all);
    const holds = holdsOf(events);
    expect(holds).toHaveLength(1_000);
    expect(violationsOf(holds)).toEqual([]);
    const inOrder = holds.toSorted((a, b) => a.askedAtMs - b.askedAtMs);
    const served = holds.toSorted((a, b) => (a.token < b.token ? -1 : 1));
    const places = served.map((hold, at) => Math.abs(inOrder.indexOf(hold) - at));
    expect(Math.max(...places)).toBe(0);
    await Promise.all(clients.map((each) => each.close()));
  });
});
