import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CostBudget, isOverBudget, type OverBudget, type Reservation } from './cost-budget.ts';

const settings = { limit: 100, windowMs: 1_000, warnAt: 0.8 };

function reserved(budget: CostBudget, estimate: number, wallMs = 0, ttlMs = 500): Reservation {
  const result = budget.reserve('k', estimate, ttlMs, wallMs);
  if (isOverBudget(result)) throw new Error('over budget');
  return result;
}

const event = fc.oneof(
  fc.record({
    kind: fc.constant('reserve' as const),
    key: fc.constantFrom('a', 'b'),
    estimate: fc.integer({ min: 0, max: 60 }),
    ttlMs: fc.constantFrom(1, 100, 5_000),
  }),
  fc.record({
    kind: fc.constant('settle' as const),
    nth: fc.nat({ max: 10 }),
    actual: fc.integer({ min: 0, max: 90 }),
  }),
  fc.record({ kind: fc.constant('release' as const), nth: fc.nat({ max: 10 }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 90, 700, 1_500) }),
  fc.record({ kind: fc.constant('limit' as const), limit: fc.integer({ min: 0, max: 150 }) }),
);

test('settled + reserved is never above the limit; what expires is charged in full; nothing is charged twice', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 150 }), (events) => {
      const budget = new CostBudget(settings);
      const made: Reservation[] = [];
      const broken: string[] = [];
      const claim = (holds: boolean, what: string): void => {
        if (!holds) broken.push(what);
      };
      let { limit } = settings;
      let now = 0;
      for (const each of events) {
        if (each.kind === 'pass') now += each.ms;
        if (each.kind === 'limit') {
          ({ limit } = each);
          budget.configure({ ...settings, limit });
        }
        if (each.kind === 'reserve') {
          const before = budget.account(each.key, now);
          const result = budget.reserve(each.key, each.estimate, each.ttlMs, now);
          const fits = before.settled + before.reserved + before.overshoot + each.estimate <= limit;
          claim(isOverBudget(result) !== fits, 'refused exactly when it does not fit');
          if (isOverBudget(result)) {
            const { retryAfterMs } = result;
            claim(retryAfterMs > 0 && retryAfterMs <= settings.windowMs, 'when to try again');
          } else {
            made.push(result);
            const { settled, reserved: aside } = budget.account(each.key, now);
            claim(settled + aside <= limit, 'settled + reserved ≤ limit');
          }
        }
        const chosen =
          each.kind === 'settle' || each.kind === 'release' ? made[each.nth] : undefined;
        if (chosen !== undefined) {
          const before = budget.account(chosen.key, now);
          const { state } = chosen;
          if (each.kind === 'settle') budget.settle(chosen, each.actual, now);
          else budget.release(chosen, now);
          // Whatever happens to one: what is settled and reserved never grows by it.
          const after = budget.account(chosen.key, now);
          const grew = after.settled + after.reserved > before.settled + before.reserved;
          claim(!grew, 'ending one charges no more');
          claim(state === 'open' || isDeepStrictEqual(after, before), 'ended once');
        }
        for (const key of ['a', 'b']) {
          const account = budget.account(key, now);
          const open = made.filter(
            (one) =>
              one.key === key &&
              one.state === 'open' &&
              one.windowStartMs === Math.floor(now / 1_000) * 1_000,
          );
          const aside = open.reduce((sum, { estimate }) => sum + estimate, 0);
          claim(account.reserved === aside, 'what is open is put aside');
        }
      }
      expect(broken).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('an actual above the estimate is told, and taken from what is left', () => {
  const budget = new CostBudget(settings);
  const one = reserved(budget, 40);
  expect(budget.settle(one, 70, 10)).toBe(30);
  expect(budget.account('k', 10)).toEqual({ settled: 40, reserved: 0, overshoot: 30 });
  expect(isOverBudget(budget.reserve('k', 31, 500, 10))).toBe(true);
  expect(isOverBudget(budget.reserve('k', 30, 500, 10))).toBe(false);
});

test('what nobody settles is charged its estimate, and what comes later changes nothing', () => {
  const budget = new CostBudget(settings);
  const one = reserved(budget, 60, 0, 100);
  expect(budget.account('k', 99)).toEqual({ settled: 0, reserved: 60, overshoot: 0 });
  expect(budget.account('k', 100)).toEqual({ settled: 60, reserved: 0, overshoot: 0 });
  expect(budget.settle(one, 1, 101)).toBe(0);
  budget.release(one, 102);
  expect([one.state, budget.account('k', 103).settled]).toEqual(['expired', 60]);
});

test('a refusal says when the next window begins, and keys are apart', () => {
  const budget = new CostBudget(settings);
  reserved(budget, 100, 1_200);
  expect((budget.reserve('k', 1, 500, 1_200) as OverBudget).retryAfterMs).toBe(800);
  expect(isOverBudget(budget.reserve('other', 100, 500, 1_200))).toBe(false);
  expect(isOverBudget(budget.reserve('k', 100, 500, 2_000))).toBe(false);
});

test('the warning comes once a window', () => {
  const warned: number[] = [];
  const budget = new CostBudget(settings, (_key, { reserved: aside }) => warned.push(aside));
  reserved(budget, 79);
  expect(warned).toEqual([]);
  reserved(budget, 1);
  reserved(budget, 1);
  reserved(budget, 90, 1_000);
  expect(warned).toEqual([80, 90]);
});

test('keys are bounded: in one window the next one is refused, and those of earlier windows make room', () => {
  const budget = new CostBudget(settings);
  const reserve = (key: string, wallMs: number): boolean =>
    !isOverBudget(budget.reserve(key, 1, 500, wallMs));
  for (let key = 0; key < 10_000; key += 1) expect(reserve(`${key}`, 0)).toBe(true);
  expect([reserve('one too many', 0), reserve('7', 0)]).toEqual([false, true]);
  expect(reserve('one too many', 1_000)).toBe(true);
});
