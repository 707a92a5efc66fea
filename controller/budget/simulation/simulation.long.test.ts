import { expect, test } from 'vitest';
import { explicable, explore, troubles } from './expectations.test-kit.ts';
import { simulate, type Schedule } from './fleet.test-kit.ts';
import { schedules } from './schedules.test-kit.ts';

const pods = { min: 2, max: 12 };

test('1,000 schedules of one fault never exceed the budget without a limit of the server', () => {
  const shape = { pods, faults: { min: 1, max: 1 }, limited: false };
  explore(schedules(shape), 1_000, (outcome) => {
    expect(outcome.excess).toBe(0);
    expect(troubles(outcome)).toEqual([]);
  });
});

test('1,000 schedules of several faults: with the limit nobody is refused for good', () => {
  const shape = { pods, faults: { min: 2, max: 6 }, limited: true };
  explore(schedules(shape), 1_000, (outcome) => {
    expect(outcome.excess).toBe(0);
    expect(troubles(outcome)).toEqual([]);
  });
});

test('1,000 schedules of several faults without the limit: those that exceed it are told and explained', () => {
  const shape = { pods, faults: { min: 2, max: 6 }, limited: false };
  const tally = explore(schedules(shape), 1_000, (outcome, schedule) => {
    expect(outcome.excess).toBeLessThanOrEqual(explicable(schedule));
    expect(troubles(outcome)).toEqual([]);
  });
  console.log(
    `${tally.exceeded} of ${tally.schedules} schedules exceed the budget, all by floors of boots whose sessions outlived them`,
  );
  for (const line of tally.explained.slice(0, 20)) console.log(`  ${line}`);
  expect(tally.exceeded).toBeLessThan(tally.schedules / 5);
});

/** Every pod wants more than its part; a leader dies, one pod stops, one crashes. */
const large = (count: number): Schedule => ({
  seed: count,
  demands: Array.from({ length: count }, (_, at) => [at % 9, (at * 7) % 11] as const),
  terms: { total: 4 * count, reserve: count / 100, floor: 1, ceiling: 30 },
  faults: [
    { kind: 'leader crash', atMs: 6_000, forMs: 1_000, pod: 0 },
    { kind: 'stop', atMs: 8_000, forMs: 5_000, pod: 1 },
    { kind: 'crash', atMs: 9_000, forMs: 2_000, pod: 2 },
  ],
  limited: true,
});

test('5,000 pods: a leader dies, one pod stops, one crashes', () => {
  const outcome = simulate(large(5_000));
  expect(outcome.excess).toBe(0);
  expect(troubles(outcome)).toEqual([]);
});

test('10,000 pods, and how long they take is printed', () => {
  const startedMs = performance.now();
  const { virtualMs, used, allowed } = simulate(large(10_000));
  const tookMs = performance.now() - startedMs;
  console.log(
    `10,000 pods × ${virtualMs / 1_000} s of virtual time: ${(tookMs / 1_000).toFixed(1)} s`,
  );
  expect(used).toBeGreaterThanOrEqual(0.95 * allowed);
});
