import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

const settings = fc.record({
  perSecond: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 50 }),
});

const step = fc.record({
  passMs: fc.nat({ max: 2_000 }),
  tries: fc.nat({ max: 60 }),
  /** Of those that were let through, how many did not go after all. */
  back: fc.nat({ max: 3 }),
  change: fc.option(settings, { nil: undefined, freq: 5 }),
});

/** A moment at which so many went, and what had been earned until then. */
interface Moment {
  readonly granted: number;
  readonly earned: number;
  readonly burst: number;
}

/** By how much more than earned and kept went in some span of time; at most 0 is right. */
function mostOver(moments: readonly Moment[]): number {
  let over = -Infinity;
  for (const [from, { earned }] of moments.entries()) {
    let granted = 0;
    let burst = 0;
    for (const each of moments.slice(from)) {
      granted += each.granted;
      burst = Math.max(burst, each.burst);
      over = Math.max(over, granted - burst - (each.earned - earned));
    }
  }
  return over;
}

test('in no span of time more than the burst and what the rate gives, also when both change', () => {
  fc.assert(
    fc.property(settings, fc.array(step, { maxLength: 60, size: 'max' }), (first, steps) => {
      let chosen = first;
      const limit = new RateLimit(chosen, 0);
      const moments: Moment[] = [];
      let [now, earned] = [0, 0];
      for (const { passMs, tries, back, change } of steps) {
        now += passMs;
        earned += (passMs / 1_000) * chosen.perSecond;
        if (change !== undefined) {
          // What there is may still be the burst of before.
          moments.push({ granted: 0, earned, burst: chosen.burst });
          chosen = change;
          limit.configure(chosen, now);
        }
        const waits = Array.from({ length: tries }, () => limit.admit(now));
        const granted = waits.filter((waitMs) => waitMs === 0).length;
        const returned = Math.min(back, granted);
        for (let each = 0; each < returned; each += 1) limit.giveBack();
        moments.push({ granted: granted - returned, earned, burst: chosen.burst });
        // Not sooner, and not needlessly later.
        expect(waits.every((waitMs) => waitMs >= 0)).toBe(true);
        expect(Math.max(0, ...waits)).toBeLessThanOrEqual(1_000 / chosen.perSecond + 1);
      }
      expect(mostOver(moments)).toBeLessThanOrEqual(1e-6);
    }),
    { numRuns: 200 },
  );
});

test('after the time that it told a token is there', () => {
  fc.assert(
    fc.property(settings, (chosen) => {
      const limit = new RateLimit(chosen, 0);
      let waitMs = 0;
      while (waitMs === 0) waitMs = limit.admit(0);
      expect(limit.admit(waitMs)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('new settings give no tokens that were not earned', () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1 }, 0);
  expect(limit.admit(0)).toBe(0);
  limit.configure({ perSecond: 100, burst: 50 }, 0);
  expect(limit.admit(0)).toBe(10);
  limit.configure({ perSecond: 1, burst: 2 }, 10_000);
  expect([limit.admit(10_000), limit.admit(10_000)]).toEqual([0, 0]);
  expect(limit.admit(10_000)).toBeGreaterThan(0);
});
