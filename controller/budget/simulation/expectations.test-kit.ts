import fc from 'fast-check';
import { simulate, type Outcome, type Schedule } from './fleet.test-kit.ts';

/** What every schedule must come to, once all faults are over. */
export const troubles = (outcome: Outcome): string[] => {
  const { used, allowed, starved, moved } = outcome;
  return [
    ...(used < 0.95 * allowed ? [`${used} of ${allowed} are used`] : []),
    ...(starved > 0 ? [`${starved} pods have nothing`] : []),
    ...(moved > 0 ? [`${moved} shares moved without need`] : []),
  ];
};

export interface Tally {
  schedules: number;
  exceeded: number;
  refusals: number;
  /** Which faults there were where the budget did not hold. */
  readonly explained: string[];
}

/** Runs schedules; `check` throws what is wrong with one. */
export function explore(
  schedules: fc.Arbitrary<Schedule>,
  numRuns: number,
  check: (outcome: Outcome, schedule: Schedule) => void,
): Tally {
  const tally: Tally = { schedules: 0, exceeded: 0, refusals: 0, explained: [] };
  const property = fc.property(schedules, (schedule) => {
    const outcome = simulate(schedule);
    tally.schedules += 1;
    tally.refusals += outcome.refusals;
    if (outcome.excess > 0) {
      tally.exceeded += 1;
      const faults = schedule.faults.map(({ kind, pod }) => `${kind} ${pod}`).join(', ');
      tally.explained.push(`${outcome.excess} too many: ${faults}`);
    }
    check(outcome, schedule);
  });
  fc.assert(property, { numRuns, endOnFailure: true });
  return tally;
}
