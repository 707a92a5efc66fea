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

/**
 * By how much the budget may be exceeded without a limit of the server: a crashed sidecar starts again on its floor, before anybody can tell it that the
 * sessions of its former boot outlived it. Nothing else may.
 */
export const explicable = ({ faults, demands, terms }: Schedule): number => {
  const who = (pod: number): number => pod % demands.length;
  const lingers = faults.filter(({ kind }) => kind === 'linger');
  const outlived = faults.filter(
    ({ kind, pod, atMs }) =>
      kind === 'crash' &&
      lingers.some((other) => who(other.pod) === who(pod) && other.atMs + other.forMs > atMs),
  );
  return outlived.length * terms.floor;
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
