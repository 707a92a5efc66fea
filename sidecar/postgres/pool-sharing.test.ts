import { describe, expect, test } from 'vitest';
import { aPool, borrow, read, type TestedPool, type Wish } from './pool.test-kit.ts';

const many = (tested: TestedPool, count: number): readonly Wish[] =>
  Array.from({ length: count }, () => read(tested));

/** How many readers each connection has, the most first. */
function spread(wishes: readonly Wish[]): readonly number[] {
  const readers = new Map<unknown, number>();
  for (const { loan } of wishes) {
    if (loan !== undefined) readers.set(loan.connection, (readers.get(loan.connection) ?? 0) + 1);
  }
  return [...readers.values()].toSorted((a, b) => b - a);
}

describe('readers', () => {
  test('share a connection up to eight; then another is taken', async () => {
    const tested = aPool({ min: 2 });
    await tested.clock.advance(5);
    const first = many(tested, 8);
    expect(spread(first)).toEqual([8]);
    const next = many(tested, 8);
    expect(spread([...first, ...next])).toEqual([8, 8]);
    expect(tested.pool.counts).toMatchObject({ shared: 2, idle: 0, lent: 0 });
  });

  test('spread over what there is, up to 32 on each, while another is being opened', async () => {
    const tested = aPool({ min: 1, max: 3 });
    await tested.clock.advance(5);
    const all = [...many(tested, 9)];
    expect([spread(all), tested.pool.counts.connecting]).toEqual([[9], 1]);
    all.push(...many(tested, 23));
    expect([spread(all), tested.pool.counts.connecting]).toEqual([[32], 1]);
    all.push(...many(tested, 2));
    expect(tested.pool.counts.waiting).toBe(2);
    await tested.clock.advance(5);
    expect(spread(all)).toEqual([32, 2]);
  });

  test('wait where nothing more may be opened, and go on as soon as one of them ends', async () => {
    const tested = aPool({ max: 1 });
    const all = many(tested, 33);
    await tested.clock.advance(5);
    expect([spread(all), tested.pool.counts.waiting]).toEqual([[32], 1]);
    all[0]?.loan?.giveBack();
    await tested.clock.advance(0);
    expect(all.at(-1)?.loan?.connection).toBe(all[0]?.loan?.connection);
  });

  test('leave a connection that anybody can have, whatever they say of it', async () => {
    const tested = aPool({ max: 1 });
    const [a, b] = many(tested, 2);
    await tested.clock.advance(5);
    a?.loan?.giveBack(true);
    a?.loan?.giveBack();
    expect(tested.pool.counts).toMatchObject({ shared: 1, idle: 0 });
    b?.loan?.giveBack();
    expect(tested.pool.counts).toMatchObject({ shared: 0, idle: 1 });
    expect(borrow(tested).loan?.connection.prepared).toEqual([]);
  });

  test('whose connection breaks all come back to nothing, and the next one has another', async () => {
    const tested = aPool({ max: 1 });
    const all = many(tested, 3);
    await tested.clock.advance(5);
    all[0]?.loan?.connection.break();
    const next = read(tested);
    for (const { loan } of all) loan?.giveBack();
    await tested.clock.advance(5);
    expect(next.loan?.connection.usable).toBe(true);
    expect(tested.pool.counts).toMatchObject({ shared: 1, idle: 0, closing: 0 });
  });

  test('are not put on a connection that has broken unnoticed', async () => {
    const tested = aPool({ max: 2 });
    const [first] = many(tested, 1);
    await tested.clock.advance(5);
    if (first?.loan !== undefined) first.loan.connection.usable = false;
    const next = read(tested);
    await tested.clock.advance(5);
    expect(next.loan?.connection).not.toBe(first?.loan?.connection);
    first?.loan?.giveBack();
    expect(tested.pool.counts).toMatchObject({ closing: 1, shared: 1 });
  });
});

describe('readers and borrowers', () => {
  test('readers who come later do not overtake a borrower who waits for their connection', async () => {
    const tested = aPool({ max: 1 });
    const reading = many(tested, 3);
    await tested.clock.advance(5);
    const borrower = borrow(tested);
    const later = many(tested, 2);
    reading[0]?.loan?.giveBack();
    reading[1]?.loan?.giveBack();
    await tested.clock.advance(1);
    expect([borrower, ...later].map(({ loan }) => loan)).toEqual([undefined, undefined, undefined]);
    reading[2]?.loan?.giveBack();
    await tested.clock.advance(1);
    expect(borrower.loan?.connection).toBe(reading[2]?.loan?.connection);
    expect(spread(later)).toEqual([]);
    borrower.loan?.giveBack();
    await tested.clock.advance(1);
    expect(spread(later)).toEqual([2]);
  });

  test('a borrower who comes later waits for its turn behind readers', async () => {
    const tested = aPool({ max: 1 });
    const borrower = borrow(tested);
    await tested.clock.advance(5);
    const reader = read(tested);
    const later = borrow(tested);
    borrower.loan?.giveBack();
    await tested.clock.advance(1);
    expect([reader.loan !== undefined, later.loan]).toEqual([true, undefined]);
  });

  test('readers behind a borrower go on at once when it gives up', async () => {
    const tested = aPool({ max: 1, acquireTimeoutMs: 50 });
    many(tested, 1);
    await tested.clock.advance(5);
    const borrower = borrow(tested);
    await tested.clock.advance(10);
    const later = many(tested, 2);
    await tested.clock.advance(40);
    expect(borrower.error?.reason).toBe('POOL_EXHAUSTED');
    expect(spread(later)).toEqual([2]);
  });
});

describe('readers who come and go without a pause', () => {
  /** Each of them is followed by another one before it leaves, for three seconds. */
  async function readOn(tested: TestedPool, first: readonly Wish[]): Promise<void> {
    let reading = first;
    for (let turn = 0; turn < 60; turn += 1) {
      await tested.clock.advance(50);
      reading = reading.map((before) => {
        const next = read(tested);
        before.loan?.giveBack();
        return next;
      });
    }
    await tested.clock.advance(50);
    expect(reading.filter(({ loan }) => loan === undefined)).toEqual([]);
  }

  test('do not keep a pool above its new limit', async () => {
    const tested = aPool({ min: 4, max: 4 });
    await tested.clock.advance(5);
    const reading = many(tested, 32);
    for (const [at, { loan }] of reading.entries()) if (at % 2 === 0) loan?.giveBack();
    const rest = reading.filter((_, at) => at % 2 !== 0);
    expect(spread(rest)).toEqual([4, 4, 4, 4]);
    tested.resize({ min: 1, max: 2 });
    await readOn(tested, rest);
    expect(tested.pool.counts).toMatchObject({ shared: 2, idle: 0, closing: 0 });
  });

  test('do not keep a connection past its lifetime', async () => {
    const tested = aPool({ min: 1, max: 2, maxLifetimeMs: 1_000 });
    await tested.clock.advance(5);
    const [first] = tested.server.connections;
    await readOn(tested, many(tested, 4));
    expect(first?.gone).toBe(true);
  });
});
