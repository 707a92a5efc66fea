import { describe, expect, test } from 'vitest';
import {
  aCall,
  aPool,
  borrow,
  type FakeConnection,
  type TestedPool,
  type Wish,
} from './pool.test-kit.ts';

/** A pool that has opened connections, which were all given back. */
async function warm(count: number, options: Parameters<typeof aPool>[0] = {}): Promise<TestedPool> {
  const tested = aPool({ max: Math.max(count, 1), ...options });
  const wishes = Array.from({ length: count }, () => borrow(tested));
  await tested.clock.advance(5);
  for (const { loan } of wishes) loan?.giveBack();
  return tested;
}

const connectionOf = ({ loan }: Wish): FakeConnection => {
  if (loan === undefined) throw new Error('nothing was lent');
  return loan.connection;
};

describe('opening', () => {
  test('a caller has a connection as soon as it is open; the next one has the same, at once', async () => {
    const tested = aPool();
    const first = borrow(tested);
    expect(tested.pool.counts).toMatchObject({ connecting: 1, waiting: 1 });
    await tested.clock.advance(4);
    expect(first.loan).toBeUndefined();
    await tested.clock.advance(1);
    first.loan?.giveBack();
    expect(connectionOf(borrow(tested))).toBe(connectionOf(first));
    expect(tested.told).toMatchObject({ opened: 1, waitedMs: [5], refused: 0 });
  });

  test('as many are opened as callers wait, at most eight at a time, never more than the limit', async () => {
    const tested = aPool({ max: 9, overflow: 1 });
    const wishes = Array.from({ length: 20 }, () => borrow(tested));
    expect(tested.server.sessions).toBe(8);
    await tested.clock.advance(5);
    expect(tested.server.sessions).toBe(10);
    await tested.clock.advance(5);
    expect(wishes.filter(({ loan }) => loan !== undefined)).toHaveLength(10);
    expect([tested.pool.size, tested.pool.counts.waiting]).toEqual([10, 10]);
  });

  test('the minimum is opened from the start, kept, and made up for when one breaks', async () => {
    const { clock, pool, server } = aPool({ min: 3, max: 5 });
    await clock.advance(5);
    expect(pool.counts.idle).toBe(3);
    server.connections[0]?.break();
    await clock.advance(5);
    expect([pool.counts.idle, server.attempts]).toEqual([3, 4]);
    await clock.advance(60_000);
    expect([pool.counts.idle, server.attempts]).toEqual([3, 4]);
  });

  test('while it fails, it is tried again after a growing wait, and from the start once it has worked', async () => {
    const { clock, pool, server, resize } = aPool();
    server.behave({ opens: 'refused' });
    const attemptsAtMs: number[] = [];
    server.onOpening = () => attemptsAtMs.push(clock.now());
    resize({ min: 1 });
    await clock.advance(20_000);
    // 100 ms and half of 200, 400 … 5000 ms, and 5 ms for the attempt itself.
    expect(attemptsAtMs.slice(0, 7)).toEqual([0, 205, 510, 1_015, 1_920, 3_625, 6_230]);
    expect(attemptsAtMs.at(-1)).toBeGreaterThan(16_000);
    server.recover();
    await clock.advance(3_000);
    expect(pool.counts.idle).toBe(1);
    server.behave({ opens: 'refused' });
    server.connections[0]?.break();
    const from = clock.now();
    attemptsAtMs.length = 0;
    await clock.advance(1_000);
    expect(attemptsAtMs.map((ms) => ms - from)).toEqual([0, 205, 510]);
  });

  test('several that fail together are one failure', async () => {
    const tested = aPool({ max: 8 });
    tested.server.behave({ opens: 'refused' });
    for (let each = 0; each < 8; each += 1) borrow(tested);
    await tested.clock.advance(5);
    tested.server.recover();
    await tested.clock.advance(205);
    const wish = borrow(tested);
    await tested.clock.advance(5);
    expect(connectionOf(wish).usable).toBe(true);
  });
});

describe('lending', () => {
  test('the connection that was used last is lent first', async () => {
    const tested = await warm(3);
    const [a, b] = tested.server.connections;
    const lent = [borrow(tested), borrow(tested), borrow(tested)];
    for (const wish of lent) {
      if (connectionOf(wish) !== a) wish.loan?.giveBack();
    }
    await tested.clock.advance(10);
    for (const wish of lent) {
      if (connectionOf(wish) === a) wish.loan?.giveBack();
    }
    expect(connectionOf(borrow(tested))).toBe(a);
    expect(connectionOf(borrow(tested))).not.toBe(a);
    expect(b?.usable).toBe(true);
  });

  test('a connection that is given back goes to whoever has waited longest among the most urgent', async () => {
    const tested = await warm(1);
    const held = borrow(tested);
    const order: string[] = [];
    const queue = (['low', 'normal', 'high', 'normal', 'high'] as const).map((priority, at) => {
      const wish = borrow(tested, aCall(priority));
      return { name: `${priority} ${at}`, wish };
    });
    held.loan?.giveBack();
    for (let served = 0; served < 5; served += 1) {
      await tested.clock.advance(1);
      for (const { name, wish } of queue) {
        if (wish.loan === undefined || order.includes(name)) continue;
        order.push(name);
        wish.loan.giveBack();
      }
    }
    expect(order).toEqual(['high 2', 'high 4', 'normal 1', 'normal 3', 'low 0']);
  });

  test('what is given back twice counts once', async () => {
    const tested = await warm(2);
    const { loan } = borrow(tested);
    loan?.giveBack();
    const next = borrow(tested);
    loan?.giveBack(true);
    expect(tested.pool.counts).toMatchObject({ lent: 1, idle: 1, preparing: 0 });
    expect(connectionOf(next).prepared).toEqual([]);
  });

  test('a session that was changed is reset before anybody else has it', async () => {
    const tested = await warm(1);
    const { loan } = borrow(tested);
    loan?.giveBack(true);
    const next = borrow(tested);
    expect(tested.pool.counts).toMatchObject({ preparing: 1, waiting: 1, connecting: 0 });
    await tested.clock.advance(1);
    expect(connectionOf(next)).toBe(loan?.connection);
    expect(loan?.connection.prepared).toEqual([true]);
  });

  test('one that cannot be reset is replaced', async () => {
    const tested = await warm(1);
    const { loan } = borrow(tested);
    tested.server.behave({ prepares: 'broken' });
    loan?.giveBack(true);
    const next = borrow(tested);
    await tested.clock.advance(10);
    expect(connectionOf(next)).not.toBe(loan?.connection);
    expect(tested.pool.size).toBe(1);
  });
});

describe('a connection that breaks', () => {
  test('while it is idle is never lent', async () => {
    const tested = await warm(2);
    const [a, b] = tested.server.connections;
    if (a !== undefined) a.usable = false; // its end has not been noticed yet
    expect(connectionOf(borrow(tested))).toBe(b);
    expect(tested.pool.counts).toMatchObject({ closing: 1, lent: 1 });
  });

  test('while it is lent is told to its borrower, replaced for the next one, and not missed when it comes back', async () => {
    const tested = await warm(1);
    const { loan } = borrow(tested);
    const next = borrow(tested);
    const told: string[] = [];
    loan?.onLost(() => told.push('lost'));
    loan?.connection.break();
    await tested.clock.advance(5);
    expect(told).toEqual(['lost']);
    loan?.onLost(() => told.push('at once'));
    expect(told).toEqual(['lost', 'at once']);
    expect(connectionOf(next).usable).toBe(true);
    loan?.giveBack();
    await tested.clock.advance(10);
    expect(tested.pool.counts).toMatchObject({ lent: 1, idle: 0, closing: 0 });
  });

  test('after it was given back is nothing to who had it', async () => {
    const tested = await warm(1);
    const { loan } = borrow(tested);
    let told = 0;
    loan?.onLost(() => {
      told += 1;
    });
    loan?.giveBack();
    loan?.connection.break();
    await tested.clock.advance(5);
    expect(told).toBe(0);
  });
});

describe('resizing', () => {
  test('up serves those who wait, at once', async () => {
    const tested = await warm(1);
    borrow(tested);
    const waiting = [borrow(tested), borrow(tested)];
    tested.resize({ max: 3 });
    await tested.clock.advance(5);
    expect(waiting.map(({ loan }) => loan?.connection.usable)).toEqual([true, true]);
    expect(tested.pool.options.max).toBe(3);
  });

  test('down closes what is idle at once, what is lent when it comes back, and what was being opened', async () => {
    const tested = await warm(3, { max: 6 });
    const lent = [borrow(tested), borrow(tested)];
    const late = [borrow(tested), borrow(tested)];
    tested.resize({ max: 1 });
    await tested.clock.advance(0);
    expect(lent.map(({ loan }) => loan?.connection.usable)).toEqual([true, true]);
    await tested.clock.advance(10);
    expect(tested.pool.size).toBe(3);
    for (const { loan } of [...lent, ...late]) loan?.giveBack();
    await tested.clock.advance(10);
    expect([tested.pool.size, tested.server.attempts]).toEqual([1, 4]);
  });
});
