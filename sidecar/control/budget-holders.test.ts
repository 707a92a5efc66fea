import { expect, test } from 'vitest';
import type { SessionHolder } from '../postgres/session-budget.ts';
import { BudgetHolders } from './budget-holders.ts';

/** A pool that is what the test says, and notes what it was asked for. */
function aHolder(pool: string, facts: Partial<SessionHolder> & { idle?: number } = {}) {
  const noted = { idle: facts.idle ?? 0, room: 0 };
  const holder: SessionHolder = {
    pool,
    leastShare: 1,
    sessions: 1,
    demand: 0,
    waiting: 0,
    waitedMs: 0,
    busy: [],
    closeIdle: (count) => {
      const closed = Math.min(count, noted.idle);
      noted.idle -= closed;
      return closed;
    },
    room: () => (noted.room += 1),
    ...facts,
  };
  return { holder, noted };
}

function together(...all: ReturnType<typeof aHolder>[]): BudgetHolders {
  const holders = new BudgetHolders();
  for (const { holder } of all) holders.add(holder, undefined);
  return holders;
}

test('demand is what all want, and at least what one of them needs to have anything', () => {
  const listener = aHolder('default', { leastShare: 2, demand: 1 });
  expect(together(listener, aHolder('idle', { leastShare: 9 })).demand).toBe(2);
  expect(together(listener, aHolder('busy', { demand: 4 })).demand).toBe(5);
  const late = aHolder('late', { waiting: 2, waitedMs: 70 });
  const holders = together(late, aHolder('later', { waiting: 1, waitedMs: 30 }));
  expect([holders.waiting, holders.waitedMs, new BudgetHolders().waitedMs]).toEqual([3, 70, 0]);
});

test('cuts that with which the least is lost, wherever it is', () => {
  const cut: string[] = [];
  const busy = (name: string, loss: number) => ({ loss, cut: () => void cut.push(name) });
  const holders = together(
    aHolder('one', { busy: [busy('commit', 4), busy('read', 1)] }),
    aHolder('other', { busy: [busy('transaction', 2), busy('write', 3)] }),
  );
  expect(holders.cut(3)).toBe(3);
  expect(cut).toEqual(['read', 'transaction', 'write']);
  expect(holders.cut(9)).toBe(4);
});

test('closes what is idle, of one after the other', () => {
  const [one, other] = [aHolder('one', { idle: 2 }), aHolder('other', { idle: 3 })];
  together(one, other).closeIdle(4);
  expect([one.noted.idle, other.noted.idle]).toEqual([0, 1]);
});

test('makes room for a pool whose callers wait, of what others do not use, once at a time', () => {
  const idle = aHolder('idle', { idle: 2 });
  const waiting = aHolder('waiting', { waiting: 1, idle: 1 });
  const filling = aHolder('filling');
  const holders = together(waiting, filling, idle);
  holders.makeRoomFor(filling.holder);
  expect(idle.noted.idle).toBe(2);
  holders.makeRoomFor(waiting.holder);
  holders.makeRoomFor(waiting.holder);
  expect([idle.noted.idle, waiting.noted.idle]).toEqual([1, 1]);
  // The room is its own, whoever comes first.
  expect(holders.isForOthers(1, filling.holder)).toBe(true);
  expect(holders.isForOthers(2, filling.holder)).toBe(false);
  expect(holders.isForOthers(1, waiting.holder)).toBe(false);
  holders.served(waiting.holder);
  expect(holders.isForOthers(1, filling.holder)).toBe(false);
});

test('whoever has nothing gets the next session of who has most', () => {
  const starving = aHolder('starving', { sessions: 0, waiting: 3 });
  const rich = aHolder('rich', { sessions: 5, waiting: 9 });
  const holders = together(aHolder('poor', { sessions: 1 }), rich, starving);
  holders.settle(5);
  expect(holders.owes(rich.holder)).toBe(true);
  holders.wants(rich.holder);
  holders.paid(rich.holder);
  expect(holders.owes(rich.holder)).toBe(false);
  expect(holders.isForOthers(1, rich.holder)).toBe(true);
  holders.tellRoom();
  expect([starving.noted.room, rich.noted.room]).toEqual([1, 1]);
  holders.delete(starving.holder);
  expect(holders.isForOthers(1, rich.holder)).toBe(false);
  holders.settle(5);
  expect(holders.owes(rich.holder)).toBe(false);
});

test('nobody gives up a session for one that the share is too small for', () => {
  const listener = aHolder('listener', { leastShare: 2, sessions: 0, waiting: 1 });
  const only = aHolder('only');
  const holders = together(only, listener);
  holders.settle(1);
  expect(holders.owes(only.holder)).toBe(false);
  holders.settle(2);
  expect(holders.owes(only.holder)).toBe(true);
});
