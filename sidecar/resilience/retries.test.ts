import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErrorKind } from '../../platform/errors.ts';
import { aCall, aTarget, breaker, failed } from './target.test-kit.ts';

const kinds = ['unavailable', 'exhausted', 'invalid'] as const satisfies readonly ErrorKind[];
const anyRetry = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 5 }),
  backoff: fc.record({
    baseMs: fc.constantFrom(1, 20, 100),
    maxMs: fc.constantFrom(10, 100, 1_000),
  }),
  on: fc.subarray<ErrorKind>([...kinds]),
  budget: fc.record({
    ratio: fc.constantFrom(0, 0.1, 0.5, 1),
    minPerSecond: fc.constantFrom(0, 0.1, 1),
  }),
});
const anyFailure = fc.record({
  kind: fc.constantFrom(...kinds),
  retryAfterMs: fc.option(fc.constantFrom(5, 50, 3_000), { nil: undefined }),
});
/** How often each call fails before it succeeds, and how long after the one before it comes. */
const anyCall = fc.record({
  passMs: fc.constantFrom(0, 0, 0, 10, 3_000),
  failures: fc.array(anyFailure, { maxLength: 6 }),
  repeatable: fc.boolean(),
});

test('tries and pauses are within their bounds, and Σ retries ≤ ratio × calls + floor', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyRetry,
      fc.array(anyCall, { maxLength: 60, size: 'max' }),
      fc.constantFrom(0, 0.3, 0.999),
      async (retry, calls, chance) => {
        const { clock, target, told } = aTarget({ retry }, undefined, chance);
        const faults: string[] = [];
        let count = 0;
        const begin = ({ failures, repeatable }: (typeof calls)[number]): Promise<void> => {
          let tries = 0;
          let failedAtMs = 0;
          const run = async (): Promise<void> => {
            const last = failures[tries - 1];
            tries += 1;
            if (last !== undefined) {
              const pauseMs = clock.now() - failedAtMs;
              const atLeastMs = last.retryAfterMs ?? 0;
              const { baseMs, maxMs } = retry.backoff;
              const atMostMs = Math.max(atLeastMs, Math.min(maxMs, baseMs * 2 ** (tries - 2)));
              const within = pauseMs > atLeastMs - 1e-6 && pauseMs < atMostMs + 1e-6;
              if (!within) faults.push(`a pause of ${pauseMs}`);
              if (!repeatable || !retry.on.includes(last.kind)) faults.push(`again ${last.kind}`);
              if (tries > retry.maxAttempts) faults.push(`try ${tries}`);
            }
            await clock.sleep(1);
            failedAtMs = clock.now();
            const now = failures[tries - 1];
            if (now !== undefined) throw failed(now.kind, now.retryAfterMs);
          };
          return target.run(aCall(), { run, repeatable: () => repeatable }).catch(() => {});
        };
        const ended: Promise<void>[] = [];
        for (const call of calls) {
          await clock.advance(call.passMs);
          ended.push(begin(call));
          count += 1;
          await clock.advance(0);
          const { ratio, minPerSecond } = retry.budget;
          const floor = minPerSecond * (10 + clock.now() / 1_000);
          expect(told.retries).toBeLessThanOrEqual(ratio * count + floor + 1e-6);
        }
        await clock.advance(60_000);
        await Promise.all(ended);
        expect(faults).toEqual([]);
      },
    ),
    { numRuns: 200 },
  );
});

test('nobody who is only throttled, wrong or gone opens a breaker, in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          kind: fc.constantFrom<ErrorKind>('exhausted', 'invalid', 'conflict', 'cancelled'),
          passMs: fc.constantFrom(0, 1, 500, 20_000),
        }),
        { maxLength: 60, size: 'max' },
      ),
      async (calls) => {
        const { clock, run, target, told } = aTarget({ breaker: { ...breaker, minCalls: 1 } });
        for (const { kind, passMs } of calls) {
          run([failed(kind)]);
          await clock.advance(passMs);
        }
        expect([target.gate.breakerState, told.states, told.refused]).toEqual(['closed', [], []]);
      },
    ),
    { numRuns: 100 },
  );
});
