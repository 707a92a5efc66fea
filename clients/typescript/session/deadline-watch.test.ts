import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestClock } from '../../../platform/test-clock.ts';
import { DeadlineWatch } from './deadline-watch.ts';

/** A watch over some deadlines, and when each was found to be due. */
function watched(clock: TestClock) {
  const pending = new Set<number>();
  const dueAtMs = new Map<number, number>();
  let checks = 0;
  const watch = new DeadlineWatch(clock, (nowMs) => {
    checks += 1;
    for (const atMs of pending) {
      if (atMs > nowMs) continue;
      dueAtMs.set(atMs, nowMs);
      pending.delete(atMs);
    }
    return Math.min(Infinity, ...pending);
  });
  const add = (atMs: number): void => {
    pending.add(atMs);
    watch.watch(atMs);
  };
  return { add, dueAtMs, watch, checks: () => checks };
}

test('every deadline is seen, never early and at most 10 ms late', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ waitMs: fc.nat(50), inMs: fc.nat(500) }), { maxLength: 20 }),
      async (plan) => {
        const clock = new TestClock();
        const { add, dueAtMs } = watched(clock);
        const deadlines: number[] = [];
        for (const { waitMs, inMs } of plan) {
          await clock.advance(waitMs);
          deadlines.push(clock.now() + inMs);
          add(clock.now() + inMs);
        }
        await clock.advance(600);
        for (const atMs of deadlines) {
          expect(dueAtMs.get(atMs)).toBeGreaterThanOrEqual(atMs);
          expect(dueAtMs.get(atMs)).toBeLessThanOrEqual(atMs + 10);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('a thousand calls a second with the same time each cost a few checks, not a timer each', async () => {
  const clock = new TestClock();
  const { add, checks } = watched(clock);
  for (let call = 0; call < 1_000; call += 1) add(1_000 + call);
  await clock.advance(999);
  expect(checks()).toBe(0);
  await clock.advance(1_000);
  expect(checks()).toBeLessThan(110);
});

test('a stopped watch looks no more', async () => {
  const clock = new TestClock();
  const { add, watch, checks } = watched(clock);
  add(10);
  watch.stop();
  await clock.advance(100);
  expect(checks()).toBe(0);
});
