import { expect, test } from 'vitest';
import { Call } from '../../platform/call.ts';
import { aCall } from './pool.test-kit.ts';
import { makeLoan, roomElseGiveBack } from './pool-loan.ts';

test('a loan is given back once, as its borrower says the first time', () => {
  const returned: boolean[] = [];
  const clean = makeLoan('connection', (dirty) => returned.push(dirty));
  clean.giveBack();
  clean.giveBack(true);
  makeLoan('connection', (dirty) => returned.push(dirty)).giveBack(true);
  expect(returned).toEqual([false, true]);
});

test('the loss of a connection is told to the last listener, and to nobody after it was given back', () => {
  const told: string[] = [];
  const loan = makeLoan('connection', () => {});
  loan.onLost(() => told.push('first'));
  loan.onLost(() => told.push('last'));
  loan.lose();
  expect(told).toEqual(['last']);
  const returned = makeLoan('connection', () => {});
  returned.onLost(() => told.push('returned'));
  returned.giveBack();
  returned.lose();
  expect(told).toEqual(['last']);
});

test('a loan whose caller has to wait until its client takes answers is given back meanwhile', async () => {
  let hasRoom = (): void => {};
  const room = (): Promise<void> => new Promise((resolve) => (hasRoom = resolve));
  const full = new Call({
    scope: { onClose: () => () => {}, push: () => {}, room },
    deadlineAtMs: Infinity,
  });
  let returned = 0;
  const loan = makeLoan('connection', () => {
    returned += 1;
  });
  expect(roomElseGiveBack(loan, aCall())).toBeUndefined();
  expect(returned).toBe(0);
  const waiting = roomElseGiveBack(loan, full);
  expect(returned).toBe(1);
  hasRoom();
  await expect(waiting).resolves.toBeUndefined();
});
