import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

const settings = fc.record({
  perSecond: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 50 }),
});

test('in no span of time more than the burst and what the rate gives, also when both change', () => {
  fc.assert(
    fc.property(
      settings,
      fc.array(fc.record({ passMs: fc.nat({ max: 2_000 }), tries: fc.nat({ max: 60 }) }), {
        maxLength: 60,
      }),
      (chosen, steps) => {
        const limit = new RateLimit(chosen, 0);
        const granted: number[] = [];
        const waits: number[] = [];
        let now = 0;
        for (const { passMs, tries } of steps) {
          now += passMs;
          for (let each = 0; each < tries; each += 1) {
            const waitMs = limit.admit(now);
            if (waitMs === 0) granted.push(now);
            else waits.push(waitMs);
          }
        }
        // Not sooner, and not needlessly later.
        expect(Math.min(1, ...waits)).toBeGreaterThan(0);
        expect(Math.max(0, ...waits)).toBeLessThanOrEqual(1_000 / chosen.perSecond + 1);
        for (const [from, start] of granted.entries()) {
          for (let to = from; to < granted.length; to += 1) {
            const most =
              chosen.burst + (((granted[to] as number) - start) / 1_000) * chosen.perSecond;
            expect(to - from + 1).toBeLessThanOrEqual(most + 1e-6);
          }
        }
      },
    ),
    { numRuns: 100 },
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
