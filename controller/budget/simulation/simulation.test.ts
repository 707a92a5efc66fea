import { expect, test } from 'vitest';
import { explicable, explore, troubles } from './expectations.test-kit.ts';
import { simulate, type Schedule } from './fleet.test-kit.ts';
import { schedules } from './schedules.test-kit.ts';

const pods = { min: 2, max: 8 };
const timeout = 60_000;

test(
  'without faults, and with one, the budget holds though the server has no limit, and is used',
  { timeout },
  () => {
    const shape = { pods, faults: { min: 0, max: 1 }, limited: false };
    explore(schedules(shape), 200, (outcome) => {
      expect(outcome.excess).toBe(0);
      expect(troubles(outcome)).toEqual([]);
    });
  },
);

test(
  'with several faults and the limit of the server every caller gets in, and all is used again',
  { timeout },
  () => {
    const shape = { pods, faults: { min: 2, max: 6 }, limited: true };
    const { refusals } = explore(schedules(shape), 150, (outcome) => {
      expect(outcome.excess).toBe(0);
      expect(troubles(outcome)).toEqual([]);
    });
    console.log(`several faults, 150 schedules: ${refusals} refusals by the server`);
  },
);

test(
  'with several faults and no limit only floors of boots that were outlived exceed the budget',
  { timeout },
  () => {
    const shape = { pods, faults: { min: 2, max: 6 }, limited: false };
    const { exceeded } = explore(schedules(shape), 100, (outcome, schedule) => {
      expect(outcome.excess).toBeLessThanOrEqual(explicable(schedule));
      expect(troubles(outcome)).toEqual([]);
    });
    console.log(`several faults, no limit, 100 schedules: ${exceeded} exceed the budget`);
  },
);

/** The leader stands still for longer than its Lease and all grants; the next one gives its room to others. */
const pausedLeader = (seed: number, blindLeaders: boolean): Schedule => ({
  seed,
  demands: Array.from({ length: 4 }, () => [20, 20] as const),
  terms: { total: 20, reserve: 0, floor: 1, ceiling: 20 },
  faults: [{ kind: 'leader pause', atMs: 6_000, forMs: 7_000, pod: 0 }],
  limited: false,
  blindLeaders,
});

test('a leader that was paused past its Lease grants nothing, because it looks; one that does not look exceeds the budget', () => {
  const seeds = Array.from({ length: 10 }, (_, at) => at + 1);
  const excess = (blind: boolean): number =>
    seeds.filter((seed) => simulate(pausedLeader(seed, blind)).excess > 0).length;
  expect(excess(false)).toBe(0);
  expect(excess(true)).toBeGreaterThan(0);
});

test('without a controller for ten minutes everybody has its floor, a restarted pod too, and all is shared again afterwards', () => {
  const outcome = simulate({
    seed: 5,
    demands: Array.from({ length: 6 }, () => [9, 12] as const),
    terms: { total: 40, reserve: 4, floor: 3, ceiling: 20 },
    faults: [
      { kind: 'leader crash', atMs: 8_000, forMs: 600_000, pod: 0 },
      { kind: 'crash', atMs: 100_000, forMs: 1_000, pod: 1 },
      { kind: 'stop', atMs: 200_000, forMs: 30_000, pod: 2 },
    ],
    limited: false,
    healedMs: 610_000,
    lookMs: 600_000,
  });
  expect(outcome.look).toEqual({ starved: 0, sessions: 6 * 3 });
  expect(outcome.excess).toBe(0);
  expect(troubles(outcome)).toEqual([]);
});

/** Four pods that want all there is; the sessions of the one that crashes outlive it, and it starts again with its floor. */
const outlived = (limited: boolean): Schedule => ({
  seed: 7,
  demands: Array.from({ length: 4 }, () => [20, 20] as const),
  terms: { total: 20, reserve: 0, floor: 2, ceiling: 20 },
  faults: [
    { kind: 'linger', atMs: 8_000, forMs: 6_000, pod: 0 },
    { kind: 'crash', atMs: 8_500, forMs: 300, pod: 0 },
  ],
  limited,
});

test('sessions that outlive a crash exceed the budget by at most a floor, which is what the limit of the server is for', () => {
  const { excess, ...rest } = simulate(outlived(false));
  expect(excess).toBeGreaterThan(0);
  expect(excess).toBeLessThanOrEqual(2);
  expect(troubles({ excess, ...rest })).toEqual([]);
  const limited = simulate(outlived(true));
  expect(limited.excess).toBe(0);
  expect(limited.refusals).toBeGreaterThan(0);
  expect(troubles(limited)).toEqual([]);
});

test('leftovers of a crash that outlive authentication_timeout are not taken for the new boot', () => {
  const { excess } = simulate({
    seed: 31,
    demands: [
      [28, 30],
      [19, 18],
      [1, 25],
    ],
    terms: { total: 27, reserve: 0, floor: 0, ceiling: 17 },
    faults: [
      { kind: 'stop', atMs: 4_075, forMs: 576, pod: 1 },
      { kind: 'cut off', atMs: 6_305, forMs: 3_625, pod: 0 },
      { kind: 'linger', atMs: 4_725, forMs: 8_930, pod: 1 },
      { kind: 'crash', atMs: 4_825, forMs: 1_482.5, pod: 1 },
      { kind: 'stop', atMs: 9_319, forMs: 3_099, pod: 0 },
      { kind: 'all cut off', atMs: 6_651, forMs: 4_620, pod: 2 },
    ],
    limited: false,
  });
  expect(excess).toBe(0);
});

test('leftovers of a crash are not taken for the new boot by the next leader', () => {
  const { excess } = simulate({
    seed: 1_604_453_584,
    demands: [
      [30, 13],
      [21, 24],
      [17, 12],
      [10, 13],
    ],
    terms: { total: 28, reserve: 4, floor: 0, ceiling: 7 },
    faults: [
      { kind: 'cut off', atMs: 7_314, forMs: 3_434, pod: 0 },
      { kind: 'noise', atMs: 4_757, forMs: 411, pod: 1 },
      { kind: 'cut off', atMs: 7_823, forMs: 1_939, pod: 0 },
      { kind: 'linger', atMs: 4_811, forMs: 8_935, pod: 0 },
      { kind: 'crash', atMs: 4_911, forMs: 1_483.75, pod: 0 },
      { kind: 'leader cut off', atMs: 6_552, forMs: 2_916, pod: 1 },
    ],
    limited: false,
  });
  expect(excess).toBe(0);
});
