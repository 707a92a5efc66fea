import { describe, expect, test } from 'vitest';
import { cancelled, deadlineExceeded } from '../../platform/call.ts';
import { aCall, aPool, borrow, read, type TestedPool, type Wish } from './pool.test-kit.ts';

/** A pool whose only connection is lent. */
async function busy(
  options: Parameters<typeof aPool>[0] = {},
): Promise<TestedPool & { held: Wish }> {
  const tested = aPool({ max: 1, ...options });
  const held = borrow(tested);
  await tested.clock.advance(5);
  return { ...tested, held };
}

describe('a caller whose time is up', () => {
  test('is told how long the queue is, how long it waited, and when to come again', async () => {
    const tested = await busy({ acquireTimeoutMs: 1_000 });
    const wishes = [borrow(tested), borrow(tested)];
    await tested.clock.advance(999);
    expect(wishes.map(({ error }) => error)).toEqual([undefined, undefined]);
    await tested.clock.advance(1);
    expect(wishes[0]?.error).toMatchObject({
      kind: 'exhausted',
      reason: 'POOL_EXHAUSTED',
      target: 'orders',
      retryAfterMs: 100,
      metadata: { queue_length: '2', waited_ms: '1000', connections: '1' },
    });
    expect(wishes[0]?.error?.message).toBe(
      'no connection of pool "orders" became free in 1000 ms: it may have 1, and 2 callers wait',
    );
    expect(wishes[1]?.error?.metadata).toMatchObject({ queue_length: '1' });
    expect(tested.pool.counts.waiting).toBe(0);
    expect(tested.told).toMatchObject({ refused: 2, waitedMs: [5, 1_000, 1_000] });
  });

  test('because its deadline is sooner hears so at its deadline', async () => {
    const tested = await busy();
    const wish = borrow(tested, aCall('normal', tested.clock.now() + 300));
    await tested.clock.advance(300);
    expect(wish.error).toMatchObject({ reason: 'POOL_EXHAUSTED', metadata: { waited_ms: '300' } });
    const past = borrow(tested, aCall('normal', tested.clock.now() - 50));
    await tested.clock.advance(0);
    expect(past.error?.reason).toBe('POOL_EXHAUSTED');
  });

  test('is told of the pool, not that time passes, when its call has ended by the deadline', async () => {
    const tested = await busy();
    const wish = borrow(tested);
    await tested.clock.advance(200);
    wish.call.end(deadlineExceeded());
    await tested.clock.advance(0);
    expect(wish.error).toMatchObject({ reason: 'POOL_EXHAUSTED', metadata: { waited_ms: '200' } });
  });

  test('is asked to wait 50 ms at least before it comes again', async () => {
    const tested = await busy({ acquireTimeoutMs: 10 });
    const wish = borrow(tested);
    await tested.clock.advance(10);
    expect(wish.error?.retryAfterMs).toBe(50);
  });
});

test('a caller who cancels leaves the queue at once, with that reason, and nothing behind', async () => {
  const tested = await busy();
  const [first, second] = [borrow(tested), borrow(tested)];
  first.call.end(cancelled());
  await tested.clock.advance(0);
  expect(first.error).toMatchObject({ kind: 'cancelled' });
  tested.held.loan?.giveBack();
  await tested.clock.advance(0);
  expect(second.loan?.connection).toBe(tested.held.loan?.connection);
  second.call.end(cancelled());
  await tested.clock.advance(2_000);
  expect(tested.pool.counts).toMatchObject({ lent: 1, waiting: 0 });
  expect(tested.told).toMatchObject({ refused: 1, waitedMs: [5, 0, 0] });
});

test('a caller whose call has ended already does not begin to wait', async () => {
  const tested = await busy();
  for (const reason of [cancelled(), deadlineExceeded()]) {
    const call = aCall();
    call.end(reason);
    const wishes = [borrow(tested, call), read(tested, call)];
    await tested.clock.advance(0);
    expect(wishes.map(({ error }) => error)).toEqual([reason, reason]);
  }
  expect(tested.pool.counts.waiting).toBe(0);
});

test('where the queue is full, the next caller is refused at once, and those who wait are not', async () => {
  const tested = await busy({ queueLimit: 2 });
  const waiting = [borrow(tested), borrow(tested)];
  const next = borrow(tested, aCall('high'));
  await tested.clock.advance(0);
  expect(next.error).toMatchObject({
    reason: 'POOL_EXHAUSTED',
    metadata: { queue_length: '2', waited_ms: '0' },
  });
  expect(tested.told.refused).toBe(1);
  expect(waiting.map(({ error }) => error)).toEqual([undefined, undefined]);
});

describe('a database that cannot be reached', () => {
  test('is told to all who wait as soon as it is known, and to those who come, with the time of the next try', async () => {
    const tested = aPool();
    tested.server.behave({ opens: 'refused' });
    const waiting = [borrow(tested), read(tested)];
    await tested.clock.advance(5);
    for (const { error } of waiting) {
      expect(error).toMatchObject({
        kind: 'unavailable',
        reason: 'DATABASE_UNAVAILABLE',
        message: 'it cannot be reached',
        target: 'orders',
        retryAfterMs: 200,
      });
    }
    await tested.clock.advance(150);
    const late = borrow(tested);
    await tested.clock.advance(0);
    expect(late.error).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', retryAfterMs: 50 });
    expect([tested.server.attempts, tested.told.refused]).toEqual([2, 3]);
  });

  test('is told as what it is: nobody answers, or nobody is there', async () => {
    const tested = aPool();
    tested.server.behave({ opens: 'timeout' });
    const wish = borrow(tested);
    await tested.clock.advance(5);
    expect(wish.error).toMatchObject({ kind: 'unavailable', reason: 'CONNECT_TIMEOUT' });
  });

  test('is tried again for whoever comes after the wait', async () => {
    const tested = aPool();
    tested.server.behave({ opens: 'refused' });
    borrow(tested);
    await tested.clock.advance(5);
    tested.server.recover();
    await tested.clock.advance(200);
    const wish = borrow(tested);
    await tested.clock.advance(5);
    expect(wish.loan?.connection.usable).toBe(true);
  });

  test('is no failure to those who can wait for a connection that works', async () => {
    const tested = await busy({ max: 2 });
    tested.server.behave({ opens: 'refused' });
    const wish = borrow(tested);
    await tested.clock.advance(5);
    const next = borrow(tested);
    await tested.clock.advance(0);
    expect([wish.error, next.error]).toEqual([undefined, undefined]);
    tested.held.loan?.giveBack();
    await tested.clock.advance(0);
    expect(wish.loan?.connection).toBe(tested.held.loan?.connection);
  });
});

describe('a server without a free session', () => {
  test('keeps callers waiting, old and new, and serves them when it has one', async () => {
    const tested = aPool();
    tested.server.behave({ opens: 'full' });
    const wishes = [borrow(tested)];
    await tested.clock.advance(100);
    wishes.push(borrow(tested));
    await tested.clock.advance(200);
    expect(wishes.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(tested.server.attempts).toBeGreaterThan(1);
    tested.server.recover();
    await tested.clock.advance(600);
    expect(wishes.map(({ loan }) => loan?.connection.usable)).toEqual([true, true]);
  });

  test('is told as a pool that is exhausted when their time is up', async () => {
    const tested = aPool({ acquireTimeoutMs: 400 });
    tested.server.behave({ opens: 'full' });
    const wish = borrow(tested);
    await tested.clock.advance(400);
    expect(wish.error).toMatchObject({
      reason: 'POOL_EXHAUSTED',
      metadata: { queue_length: '1', connections: '0' },
    });
  });
});

test('a pool that closes refuses those who wait and those who come, readers too', async () => {
  const tested = await busy();
  const reader = read(await busy({ max: 2 }));
  const waiting = [borrow(tested), read(tested)];
  void tested.pool.close();
  const late = [borrow(tested), read(tested)];
  await tested.clock.advance(0);
  for (const { error } of [...waiting, ...late]) {
    expect(error).toMatchObject({ kind: 'unavailable', reason: 'DRAINING', target: 'orders' });
  }
  expect(reader.error).toBeUndefined();
});

test('a pool that closes puts no more readers on a connection that is read on', async () => {
  const tested = aPool({ max: 1 });
  const reader = read(tested);
  await tested.clock.advance(5);
  void tested.pool.close();
  const late = read(tested);
  await tested.clock.advance(0);
  expect([reader.loan?.connection.usable, late.error?.reason]).toEqual([true, 'DRAINING']);
});
