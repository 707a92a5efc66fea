import { expect, test } from 'vitest';
import { budgetError, type SessionBudget, type SessionHolder } from './session-budget.ts';
import { aPool, borrow, read } from './pool.test-kit.ts';

/** A budget whose answers tests decide. */
function aBudget() {
  const kept = { most: 10, isOver: false, asked: 0, looked: 0, left: 0, ended: 0 };
  const budget: SessionBudget = {
    get isOver() {
      return kept.isOver;
    },
    look: () => (kept.looked += 1),
    reserve: () => {
      kept.asked += 1;
      if (holder().sessions >= kept.most) return undefined;
      return { begin: () => undefined, end: () => (kept.ended += 1) };
    },
    fault: () => budgetError('orders', 'no share'),
    leave: () => (kept.left += 1),
  };
  let joined: SessionHolder | undefined;
  const holder = (): SessionHolder => joined as SessionHolder;
  const joinBudget = (member: SessionHolder): SessionBudget => {
    joined = member;
    return budget;
  };
  return { kept, holder, joinBudget };
}

function budgeted(most: number, options: Parameters<typeof aPool>[0] = {}) {
  const budget = aBudget();
  budget.kept.most = most;
  return { ...budget, ...aPool({ max: 4, ...options }, undefined, budget.joinBudget) };
}

test('opens no more than it gets leave for, and the rest when there is room', async () => {
  const tested = budgeted(1);
  const wishes = [borrow(tested), borrow(tested), borrow(tested)];
  await tested.clock.advance(5);
  expect(tested.server.sessions).toBe(1);
  expect(tested.holder()).toMatchObject({ sessions: 1, waiting: 2, waitedMs: 5, demand: 3 });
  tested.kept.most = 2;
  tested.holder().room();
  await tested.clock.advance(5);
  expect(wishes.map(({ loan }) => loan !== undefined)).toEqual([true, true, false]);
  expect(tested.kept.ended).toBe(2);
});

test('a caller whose time is up hears of the budget if that is why, and of the pool if it is full', async () => {
  const tested = budgeted(1, { acquireTimeoutMs: 100, max: 2 });
  const wishes = [borrow(tested), borrow(tested)];
  await tested.clock.advance(100);
  expect(wishes[1]?.error).toMatchObject({ kind: 'exhausted', reason: 'CONNECTION_BUDGET' });
  const full = budgeted(5, { acquireTimeoutMs: 100, max: 1 });
  const others = [borrow(full), borrow(full)];
  await full.clock.advance(100);
  expect(others[1]?.error?.reason).toBe('POOL_EXHAUSTED');
});

test('a connect whose time was over is tried again, and nobody hears of it', async () => {
  const tested = budgeted(5);
  tested.server.behave({ opens: 'late' });
  const wish = borrow(tested);
  await tested.clock.advance(50);
  const next = borrow(tested);
  tested.server.recover();
  await tested.clock.advance(900);
  expect([wish.error, next.error]).toEqual([undefined, undefined]);
  expect(wish.loan?.connection.usable).toBe(true);
});

test('demand is what was in use within the last second, and what is waited for, up to the limit', async () => {
  const tested = budgeted(10);
  const wishes = Array.from({ length: 3 }, () => borrow(tested));
  await tested.clock.advance(5);
  for (const { loan } of wishes) loan?.giveBack();
  await tested.clock.advance(990);
  expect(tested.holder()).toMatchObject({ demand: 3, waitedMs: 0 });
  await tested.clock.advance(20);
  expect(tested.holder().demand).toBe(0);
  for (let nth = 0; nth < 9; nth += 1) borrow(tested);
  expect(tested.holder().demand).toBe(4);
});

test('what is idle is closed when it is asked for, the longest idle first', async () => {
  const tested = budgeted(10);
  const wishes = Array.from({ length: 3 }, () => borrow(tested));
  await tested.clock.advance(5);
  for (const { loan } of wishes) {
    loan?.giveBack();
    await tested.clock.advance(1);
  }
  const [first, ...others] = wishes.map(({ loan }) => loan?.connection);
  expect(tested.holder().closeIdle(1)).toBe(1);
  expect([first?.usable, ...others.map((each) => each?.usable)]).toEqual([false, true, true]);
  expect(tested.holder().closeIdle(9)).toBe(2);
  expect(tested.holder().closeIdle(9)).toBe(0);
});

test('while there are too many, what becomes free is closed', async () => {
  const tested = budgeted(10);
  const wishes = [borrow(tested), borrow(tested)];
  await tested.clock.advance(5);
  tested.kept.isOver = true;
  wishes[0]?.loan?.giveBack();
  tested.kept.isOver = false;
  wishes[1]?.loan?.giveBack();
  await tested.clock.advance(5);
  expect(wishes.map(({ loan }) => loan?.connection.gone)).toEqual([true, false]);
});

test('what is in use can be cut, with what is lost by it; what is idle or cut already is not in use', async () => {
  const tested = budgeted(10);
  const wishes = [borrow(tested), borrow(tested), read(tested)];
  await tested.clock.advance(5);
  for (const [nth, { loan }] of wishes.entries()) if (loan) loan.connection.loss = nth;
  wishes[0]?.loan?.giveBack();
  const { busy } = tested.holder();
  expect(busy.map(({ loss }) => loss)).toEqual([1, 2]);
  busy[0]?.cut();
  expect(wishes[1]?.loan?.connection.cutBy).toMatchObject({ reason: 'CONNECTION_BUDGET' });
  expect(tested.holder().busy).toHaveLength(1);
});

test('looks before it lends, because time may have passed unseen', async () => {
  const tested = budgeted(10);
  const first = borrow(tested);
  await tested.clock.advance(5);
  first.loan?.giveBack();
  const looked = tested.kept.looked;
  borrow(tested);
  expect(tested.kept.looked).toBe(looked + 1);
});

test('leaves when it is closed and has nothing any more', async () => {
  const tested = budgeted(10);
  borrow(tested).loan?.giveBack();
  await tested.clock.advance(5);
  void tested.pool.close();
  expect(tested.kept.left).toBe(0);
  await tested.clock.advance(2_000);
  expect(tested.kept.left).toBe(1);
  const empty = budgeted(10);
  await empty.pool.close();
  expect(empty.kept.left).toBe(1);
});
