import { allocate, type Claim } from '../../controller/budget/allocation.ts';
import { median } from '../report.ts';

export interface AllocationRow {
  readonly pods: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

const sizes = [10, 100, 1_000, 10_000];
const repeats = 50;

/** One division of a budget among pods, half of what they ask for being there. */
export function benchAllocation(): AllocationRow[] {
  return sizes.map((pods) => {
    const tookMs: number[] = [];
    let random = 1;
    // The same claims each time, or ratios between runs would mean nothing.
    const next = (below: number): number => {
      random = (random * 48_271) % 2_147_483_647;
      return random % below;
    };
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const claims = Array.from({ length: pods }, (): Claim => {
        return { floor: 1, ceiling: 20, demand: next(25), held: 1 + next(10) };
      });
      const wanted = claims.reduce((sum, { demand }) => sum + demand, 0);
      const fromMs = performance.now();
      allocate(claims, Math.floor(wanted / 2));
      tookMs.push(performance.now() - fromMs);
    }
    return { pods, medianMs: median(tookMs), worstMs: Math.max(...tookMs) };
  });
}
