import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HoldfastError, type ErrorKind } from '../../platform/errors.ts';
import { retryDelayMs, type RetrySettings } from './retry.ts';
import { RetryBudget } from './retry-budget.ts';

const failed = (kind: ErrorKind, retryAfterMs?: number): HoldfastError =>
  new HoldfastError(kind, 'INTERNAL', 'x', retryAfterMs === undefined ? {} : { retryAfterMs });
const settings: RetrySettings = {
  maxAttempts: 4,
  backoff: { baseMs: 10, maxMs: 25 },
  on: ['unavailable', 'conflict'],
};

describe('the pause before the next try', () => {
  test('is within its bounds, and there are as many as allowed', () => {
    fc.assert(
      fc.property(
        fc.record({
          maxAttempts: fc.integer({ min: 1, max: 10 }),
          backoff: fc.record({
            baseMs: fc.integer({ min: 1, max: 1_000 }),
            maxMs: fc.integer({ min: 1, max: 60_000 }),
          }),
          on: fc.constant(['unavailable'] as const),
        }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
        (chosen, chance, retryAfterMs) => {
          const error = failed('unavailable', retryAfterMs);
          let tries = 1;
          for (;;) {
            const failure = { error, attempts: tries, repeatable: true };
            const delay = retryDelayMs(chosen, failure, () => chance);
            if (delay === undefined) break;
            const most = Math.min(chosen.backoff.maxMs, chosen.backoff.baseMs * 2 ** (tries - 1));
            expect(delay).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
            expect(delay).toBeLessThanOrEqual(Math.max(most, retryAfterMs ?? 0));
            tries += 1;
          }
          expect(tries).toBe(chosen.maxAttempts);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('there is none for other failures, nor for what may not run twice', () => {
    const one = { attempts: 1, repeatable: true };
    expect(
      retryDelayMs(settings, { ...one, error: failed('invalid') }, Math.random),
    ).toBeUndefined();
    const unsafe = { error: failed('unavailable'), attempts: 1, repeatable: false };
    expect(retryDelayMs(settings, unsafe, Math.random)).toBeUndefined();
    expect(retryDelayMs(settings, { ...one, error: failed('conflict') }, () => 0.5)).toBe(5);
  });
});

describe('the retry budget', () => {
  test('Σ retries ≤ ratio × calls + floor, in random histories', () => {
    fc.assert(
      fc.property(
        fc.record({
          ratio: fc.double({ min: 0, max: 1, noNaN: true }),
          minPerSecond: fc.integer({ min: 0, max: 20 }),
        }),
        fc.array(
          fc.record({
            passMs: fc.nat({ max: 3_000 }),
            calls: fc.nat({ max: 100 }),
            retries: fc.nat({ max: 100 }),
          }),
          { maxLength: 100 },
        ),
        (chosen, steps) => {
          const budget = new RetryBudget(chosen, 0);
          let [now, calls, retries] = [0, 0, 0];
          for (const each of steps) {
            now += each.passMs;
            for (let call = 0; call < each.calls; call += 1) budget.deposit(now);
            calls += each.calls;
            for (let retry = 0; retry < each.retries; retry += 1) {
              if (budget.withdraw(now)) retries += 1;
            }
            const floor = 10 * chosen.minPerSecond + (now / 1_000) * chosen.minPerSecond;
            expect(retries).toBeLessThanOrEqual(chosen.ratio * calls + floor + 1e-6);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('nothing at all without ratio and floor', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 0 }, 0);
    for (let call = 0; call < 100; call += 1) budget.deposit(call);
    expect(budget.withdraw(100_000)).toBe(false);
  });

  test('what a busy time earned is gone after ten seconds', () => {
    const budget = new RetryBudget({ ratio: 0.1, minPerSecond: 0 }, 0);
    for (let call = 0; call < 1_000; call += 1) budget.deposit(0);
    expect(budget.withdraw(5_000)).toBe(true);
    expect(budget.withdraw(15_000)).toBe(false);
  });

  test('a lower floor holds at once', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 100 }, 0);
    budget.configure({ ratio: 0, minPerSecond: 2 }, 0);
    const granted = Array.from({ length: 25 }, () => budget.withdraw(0)).filter(Boolean);
    expect(granted).toHaveLength(20);
  });
});
