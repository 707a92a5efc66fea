import { expect, test } from 'vitest';
import type { Grant, Grant__Output } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import { makeLogger } from '../../platform/logger.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { SessionHolder } from '../postgres/session-budget.ts';
import { BudgetShare } from './budget-share.ts';
import { Floors } from './floors.ts';

/** A share with one pool, and a controller that says what the test wants. */
function aShare() {
  const alarms = new TestClock();
  const late = { byMs: 0 };
  // A process that stood still: time has passed, and no alarm has rung.
  const clock = {
    now: () => alarms.now() + late.byMs,
    wallNow: () => alarms.wallNow() + late.byMs,
    after: alarms.after.bind(alarms),
    sleep: alarms.sleep.bind(alarms),
  };
  const heartbeats: Heartbeat[] = [];
  const pool = { idle: 0, demand: 0, rooms: 0 };
  const holder: SessionHolder = {
    pool: 'default',
    leastShare: 1,
    sessions: 1,
    get demand() {
      return pool.demand;
    },
    waiting: 0,
    waitedMs: 0,
    busy: [],
    closeIdle: (count) => {
      pool.idle += count;
      return 0;
    },
    room: () => (pool.rooms += 1),
  };
  const link = {
    boot: 3,
    send: (heartbeat: Heartbeat) => heartbeats.push(heartbeat) > 0,
    onGrant: () => {},
  };
  const share = new BudgetShare('orders', {
    clock,
    random: () => 0.5,
    log: makeLogger('silent', 'test'),
    link,
    floors: new Floors({ read: () => undefined, keep: () => {} }),
    events: { refused: () => {}, cut: () => {}, granted: () => {} },
  });
  const budget = share.join(holder);
  const grant = (most: number): void => {
    const answers = heartbeats.at(-1)?.number ?? 0;
    const given: Grant = { budget: 'orders', boot: 3, epoch: 1, answers, floor: 1, share: most };
    share.take({
      ...given,
      leaseMs: 10_000,
      list: false,
      terminate: [],
      gone: [],
    } as Grant__Output);
  };
  const open = (...ports: number[]) =>
    ports.map((port) => {
      const permit = budget.reserve();
      const socket = permit?.begin(port);
      permit?.end();
      return socket?.opened();
    });
  return { clock: alarms, late, heartbeats, pool, share, budget, grant, open };
}

test('time that passed unseen is seen before a session is used', async () => {
  const { clock, late, pool, share, budget, grant, open } = aShare();
  await clock.advance(0);
  grant(4);
  expect(open(1, 2, 3)).toEqual([true, true, true]);
  budget.look();
  expect([pool.idle, budget.isOver]).toEqual([0, false]);
  late.byMs = 60_000;
  budget.look();
  expect([pool.idle, budget.isOver, share.most]).toEqual([2, true, 1]);
  expect(open(4)).toEqual([undefined]);
});

test('a share that shrinks has what becomes free closed, at once', async () => {
  const { clock, pool, budget, grant, open } = aShare();
  await clock.advance(0);
  grant(4);
  open(1, 2, 3);
  await clock.advance(1_000);
  grant(2);
  expect([pool.idle, budget.isOver]).toEqual([1, true]);
});

test('a leave ends with the share: what is connected by then must say nothing', async () => {
  const { clock, late, budget, grant } = aShare();
  await clock.advance(0);
  grant(2);
  const [first, second] = [budget.reserve(), budget.reserve()];
  // No more connects at a time than the floor.
  expect(second).toBeUndefined();
  expect(first?.begin(0)).toBeUndefined();
  first?.end();
  const late1 = budget.reserve();
  expect(late1?.begin(1)?.opened()).toBe(true);
  const late2 = budget.reserve();
  late.byMs = 60_000;
  expect(late2?.begin(2)).toBeUndefined();
});

test('says what it could use about once a second, and soon when that is more, but not for every caller', async () => {
  const { clock, heartbeats, pool, budget, grant, open } = aShare();
  await clock.advance(0);
  grant(1);
  open(1);
  for (let second = 0; second < 5; second += 1) {
    await clock.advance(1_000);
    grant(1);
  }
  const quiet = heartbeats.length;
  expect(quiet).toBeGreaterThanOrEqual(5);
  expect(quiet).toBeLessThanOrEqual(7);
  for (let caller = 1; caller <= 50; caller += 1) {
    pool.demand = caller;
    expect(budget.reserve()).toBeUndefined();
    await clock.advance(10);
  }
  expect(heartbeats.length - quiet).toBeLessThanOrEqual(4);
  expect(heartbeats.at(-1)?.demand).toBeGreaterThan(30);
});

test('leaves: opens nothing, says so, and is silent', async () => {
  const { clock, heartbeats, share, budget, grant } = aShare();
  await clock.advance(0);
  grant(2);
  share.leave();
  expect(heartbeats.at(-1)).toMatchObject({ leaving: true, ports: [] });
  const told = heartbeats.length;
  expect(budget.reserve()).toBeUndefined();
  await clock.advance(10_000);
  expect([heartbeats.length, clock.alarms]).toEqual([told, 0]);
});
