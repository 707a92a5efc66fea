import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PoolHistory } from './pool-history.test-kit.ts';
import { anyMs, anyOptions, anySteps } from './pool-steps.test-kit.ts';

const chance = fc.double({ min: 0, max: 0.999, noNaN: true });

test('whatever happens to a pool, it keeps its bounds, its order and its promises', async () => {
  await fc.assert(
    fc.asyncProperty(anyOptions, chance, anySteps, async (options, chance, steps) => {
      const history = new PoolHistory(options, () => chance);
      for (const step of steps) await history.run(step);
      await history.endInPeace();
      expect(history.faults).toEqual([]);
    }),
    { numRuns: 300 },
  );
}, 30_000);

test('a pool that is closed in the midst of anything ends with nothing left and everybody answered', async () => {
  await fc.assert(
    fc.asyncProperty(anyOptions, anySteps, anyMs, async (options, steps, cutAfterMs) => {
      const history = new PoolHistory(options, () => 0.5);
      for (const step of steps) await history.run(step);
      await history.close(cutAfterMs);
      expect(history.faults).toEqual([]);
    }),
    { numRuns: 200 },
  );
}, 30_000);
