import fc from 'fast-check';
import { faultKinds, type Fault } from './faults.test-kit.ts';
import type { Schedule } from './fleet.test-kit.ts';

const fault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constantFrom(...faultKinds),
  atMs: fc.integer({ min: 4_000, max: 10_000 }),
  forMs: fc.integer({ min: 200, max: 6_000 }),
  // Few: faults are to meet.
  pod: fc.nat(2),
});

/** A crash whose sessions outlive it. */
const outlived: fc.Arbitrary<Fault[]> = fault.map(({ atMs, forMs, pod }) => [
  { kind: 'linger', atMs, forMs: 3_000 + forMs, pod },
  { kind: 'crash', atMs: atMs + 100, forMs: forMs / 4, pod },
]);

interface Shape {
  readonly pods: { readonly min: number; readonly max: number };
  readonly faults: { readonly min: number; readonly max: number };
  readonly limited: boolean;
}

/** Fleets that want more or less than there is, and what happens to them. */
export const schedules = ({ pods, faults, limited }: Shape): fc.Arbitrary<Schedule> =>
  fc
    .record({
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      demands: fc.array(fc.tuple(fc.nat(30), fc.nat(30)), {
        minLength: pods.min,
        maxLength: pods.max,
        size: 'max',
      }),
      perPod: fc.integer({ min: 3, max: 10 }),
      reserve: fc.nat(5),
      floor: fc.nat(3),
      above: fc.integer({ min: 4, max: 30 }),
      faults: fc.array(
        faults.max < 2
          ? fault.map((one) => [one])
          : fc.oneof({ weight: 8, arbitrary: fault.map((one) => [one]) }, outlived),
        { minLength: faults.min, maxLength: faults.max },
      ),
    })
    .map(({ seed, demands, perPod, reserve, floor, above, faults }) => {
      const total = demands.length * perPod + reserve;
      const terms = { total, reserve, floor, ceiling: floor + above };
      return { seed, demands, terms, faults: faults.flat(), limited };
    });
