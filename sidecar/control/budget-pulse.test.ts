import { expect, test } from 'vitest';
import { makeLogger } from '../../platform/logger.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { SessionHolder } from '../postgres/session-budget.ts';
import { BudgetHolders } from './budget-holders.ts';
import { BudgetPulse } from './budget-pulse.ts';
import { Share } from './share.ts';

test('beats once a second, at once when demand appears, and every 300 ms while waiting for more is news', async () => {
  const clock = new TestClock();
  const wants = { demand: 0, waiting: 0 };
  const holders = new BudgetHolders();
  const holder: SessionHolder = {
    pool: 'default',
    leastShare: 1,
    sessions: 0,
    waitedMs: 0,
    busy: [],
    closeIdle: () => 0,
    room: () => {},
    get demand() {
      return wants.demand;
    },
    get waiting() {
      return wants.waiting;
    },
  };
  holders.add(holder, undefined);
  const times = { now: () => clock.now(), random: () => 0.5 };
  const leases = { driftRatio: 0.1, drainMs: 2_000, lateConnectMs: 60_000, refusalMs: 1_000 };
  let sent = 0;
  const pulse = new BudgetPulse('orders', {
    clock,
    random: () => 0.5,
    log: makeLogger('silent', 'test'),
    link: { boot: 1, send: () => (sent += 1) > 0, onGrant: () => {} },
    share: new Share({ boot: 1, floor: 1, ...times, ...leases }),
    holders,
    onBeat: () => {},
  });
  const beatsIn = async (ms: number): Promise<number> => {
    const before = sent;
    await clock.advance(ms);
    return sent - before;
  };
  expect(await beatsIn(5_500)).toBe(6);
  wants.demand = 5;
  pulse.demanded();
  expect(await beatsIn(1)).toBe(1);
  wants.waiting = 4;
  wants.demand = 6;
  pulse.demanded();
  expect(await beatsIn(3_000)).toBeGreaterThanOrEqual(9);
  await clock.advance(1_000);
  // It is no news any more.
  expect(await beatsIn(5_000)).toBe(5);
  pulse.leave();
});
