import { expect, test } from 'vitest';
import { explore, troubles } from './expectations.test-kit.ts';
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
