import { describe, expect, test } from 'vitest';
import { aPool, borrow, type TestedPool } from './pool.test-kit.ts';

/** Takes as many connections as asked for, and gives them back. */
async function use(tested: TestedPool, count: number): Promise<void> {
  const wishes = Array.from({ length: count }, () => borrow(tested));
  await tested.clock.advance(10);
  for (const { loan } of wishes) loan?.giveBack();
}

describe('what nobody needs is closed', () => {
  test('overflow a second after its use, the rest after the idle time, the minimum never', async () => {
    const tested = aPool({ min: 1, max: 3, overflow: 2, idleTimeoutMs: 5_000 });
    await use(tested, 5);
    await tested.clock.advance(980);
    expect(tested.pool.counts.idle).toBe(5);
    await tested.clock.advance(1_010);
    expect(tested.pool.counts.idle).toBe(3);
    await tested.clock.advance(2_900);
    expect(tested.pool.counts.idle).toBe(3);
    await tested.clock.advance(1_200);
    expect(tested.pool.counts.idle).toBe(1);
    await tested.clock.advance(60_000);
    expect([tested.pool.size, tested.server.attempts]).toEqual([1, 5]);
  });

  test('the longest idle first, so that a steady load settles on few', async () => {
    const tested = aPool({ max: 4, idleTimeoutMs: 3_000, probeAfterMs: 60_000 });
    await use(tested, 4);
    for (let second = 0; second < 8; second += 1) {
      await use(tested, 2);
      await tested.clock.advance(990);
    }
    expect([tested.pool.counts.idle, tested.told.closed]).toEqual([2, 2]);
  });

  test('a load above the maximum that comes every half second does not open anew each time', async () => {
    const tested = aPool({ max: 1, overflow: 2 });
    for (let time = 0; time < 20; time += 1) {
      await use(tested, 3);
      await tested.clock.advance(500);
    }
    expect(tested.server.attempts).toBe(3);
  });
});

describe('the lifetime of a connection', () => {
  test.each([
    ['as long as told, without jitter', 0, 0.9, 10_000],
    ['shorter by the whole jitter', 0.2, 0, 8_000],
    ['longer by nearly all of it', 0.2, 0.999_999, 12_000],
    ['in the middle', 0.2, 0.5, 10_000],
  ])('is %s', async (_what, lifetimeJitter, chance, lifetimeMs) => {
    const options = { min: 1, maxLifetimeMs: 10_000, lifetimeJitter, idleTimeoutMs: 600_000 };
    const { clock, server } = aPool(options, () => chance);
    await clock.advance(5 + lifetimeMs - 5);
    expect(server.attempts).toBe(1);
    await clock.advance(1_010);
    expect([server.attempts, server.sessions, server.connections[0]?.gone]).toEqual([2, 1, true]);
  });

  test('is over when it is given back, not while it is lent', async () => {
    const tested = aPool({ max: 1, maxLifetimeMs: 1_000 });
    const { loan } = await opened(tested);
    await tested.clock.advance(5_000);
    expect(loan?.connection.usable).toBe(true);
    loan?.giveBack();
    expect(tested.pool.counts).toMatchObject({ idle: 0, closing: 1 });
  });
});

const opened = async (tested: TestedPool): Promise<ReturnType<typeof borrow>> => {
  const wish = borrow(tested);
  await tested.clock.advance(5);
  return wish;
};

describe('a connection that was idle for long', () => {
  test('is asked whether it works before it is lent; one that was used just now is not', async () => {
    const tested = aPool({ max: 1, probeAfterMs: 5_000 });
    const { loan } = await opened(tested);
    loan?.giveBack();
    await tested.clock.advance(4_999);
    const soon = borrow(tested);
    expect([soon.loan?.connection, loan?.connection.prepared]).toEqual([loan?.connection, []]);
    soon.loan?.giveBack();
    await tested.clock.advance(5_000);
    const late = borrow(tested);
    expect([late.loan, loan?.connection.prepared]).toEqual([undefined, [false]]);
    await tested.clock.advance(1);
    expect(late.loan?.connection).toBe(loan?.connection);
  });

  test('and does not, is replaced, and its caller sees nothing of it', async () => {
    const tested = aPool({ max: 1 });
    const { loan } = await opened(tested);
    loan?.giveBack();
    await tested.clock.advance(5_000);
    tested.server.behave({ prepares: 'broken' });
    const late = borrow(tested);
    await tested.clock.advance(10);
    expect(late.loan?.connection).not.toBe(loan?.connection);
    expect([late.loan?.connection.usable, loan?.connection.gone]).toEqual([true, true]);
  });

  test('is asked once for each caller, and nothing is opened beside it', async () => {
    const tested = aPool({ max: 5, probeAfterMs: 5_000 });
    await use(tested, 4);
    await tested.clock.advance(6_000);
    const wishes = [borrow(tested), borrow(tested)];
    expect(tested.pool.counts).toMatchObject({ preparing: 2, idle: 2, connecting: 0 });
    await tested.clock.advance(1);
    expect(wishes.map(({ loan }) => loan?.connection.prepared)).toEqual([[false], [false]]);
    expect(tested.server.attempts).toBe(4);
  });

  test('and does not answer soon has another one opened beside it', async () => {
    const tested = aPool({ max: 2 });
    const { loan } = await opened(tested);
    loan?.giveBack();
    await tested.clock.advance(6_000);
    tested.server.behave({ prepareMs: 2_000 });
    const late = borrow(tested);
    await tested.clock.advance(249);
    expect(tested.pool.counts).toMatchObject({ preparing: 1, connecting: 0 });
    await tested.clock.advance(6);
    expect(late.loan?.connection).not.toBe(loan?.connection);
    expect(late.loan?.connection.usable).toBe(true);
  });
});

test('a low steady load stays on one connection, however far apart its calls are', async () => {
  const tested = aPool({ min: 1, max: 10, probeAfterMs: 5_000, idleTimeoutMs: 60_000 });
  for (let call = 0; call < 20; call += 1) {
    await use(tested, 1);
    await tested.clock.advance(6_000);
  }
  expect([tested.pool.size, tested.server.attempts]).toEqual([1, 1]);
});

describe('closing', () => {
  test('ends idle ones at once, lent ones when they come back, and the rest after a while', async () => {
    const tested = aPool({ max: 3 });
    const [a, b] = [borrow(tested), borrow(tested), borrow(tested).loan];
    await tested.clock.advance(10);
    let done = false;
    const closing = tested.pool.close(1_000).then(() => {
      done = true;
    });
    a?.loan?.giveBack();
    await tested.clock.advance(10);
    expect([a?.loan?.connection.gone, b?.loan?.connection.usable, done]).toEqual([
      true,
      true,
      false,
    ]);
    await tested.clock.advance(1_000);
    await closing;
    expect([b?.loan?.connection.gone, tested.server.sessions]).toEqual([true, 0]);
  });

  test('a pool without connections is over at once, and one that is still opening when that is done', async () => {
    await expect(aPool().pool.close()).resolves.toBeUndefined();
    for (const opens of ['well', 'refused'] as const) {
      const tested = aPool();
      tested.server.behave({ opens });
      const wish = borrow(tested);
      let done = false;
      const closing = tested.pool.close().then(() => {
        done = true;
      });
      await tested.clock.advance(4);
      expect([done, wish.error?.reason]).toEqual([false, 'DRAINING']);
      await tested.clock.advance(10);
      await closing;
      const { pool, server, timers } = tested;
      expect([pool.size, server.sessions, timers.size]).toEqual([0, 0, 0]);
    }
  });
});

describe('renewed', () => {
  test('every connection is replaced within the time, one after the other, and lent ones when they are given back', async () => {
    const tested = aPool({ min: 3, max: 4, idleTimeoutMs: 600_000, probeAfterMs: 600_000 });
    await use(tested, 4);
    const held = borrow(tested);
    await tested.clock.advance(1);
    tested.pool.renew(8_000);
    const gone: number[] = [];
    for (let second = 0; second < 10; second += 1) {
      await tested.clock.advance(1_000);
      gone.push(tested.server.connections.slice(0, 4).filter((each) => each.gone).length);
    }
    expect(gone.at(-1)).toBe(3);
    expect(new Set(gone).size).toBeGreaterThan(2);
    held.loan?.giveBack();
    await tested.clock.advance(1_010);
    expect(tested.server.connections.slice(0, 4).every((each) => each.gone)).toBe(true);
    expect(tested.pool.size).toBeGreaterThanOrEqual(3);
  });

  test('one that was being opened is old already', async () => {
    const tested = aPool({ min: 0, max: 1, probeAfterMs: 600_000 });
    const first = borrow(tested);
    await tested.clock.advance(1);
    tested.pool.renew(8_000);
    await tested.clock.advance(10);
    first.loan?.giveBack();
    const second = borrow(tested);
    await tested.clock.advance(20);
    expect([tested.server.attempts, tested.server.connections[0]?.gone]).toEqual([2, true]);
    second.loan?.giveBack();
  });
});
