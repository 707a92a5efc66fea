import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../platform/deadlines.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { CostSettings, Micros } from './cost-ledger.ts';
import { histories, judge, LedgerModel } from './ledger-model.test-kit.ts';
import { PodLedger } from './pod-ledger.ts';

const settings = { limit: 100, windowMs: 1_000, warnAt: 0.8 };

/** Its wall clock can be set; the other one cannot. */
class SetClock extends TestClock {
  offsetMs = 0;

  override wallNow(): number {
    return this.now() + this.offsetMs;
  }
}

function open(more: Partial<CostSettings> = {}) {
  const clock = new SetClock();
  const told = { charged: 0, overshot: 0, expired: 0, warned: 0 };
  const ledger = new PodLedger(
    { ...settings, ...more },
    {
      target: 'llm',
      clock,
      deadlines: new Deadlines(clock),
      events: {
        charged: (amount) => (told.charged += amount),
        overshot: (amount) => (told.overshot += amount),
        expired: (amount) => (told.expired += amount),
        warned: () => (told.warned += 1),
      },
    },
  );
  const reserve = (id: string, amount: Micros, { key = 'k', ttlMs = 500 } = {}) =>
    ledger.reserve({ id, key, amount, ttlMs });
  return { clock, ledger, told, reserve };
}

const refusal = (work: () => unknown): HoldfastError => {
  try {
    work();
  } catch (thrown) {
    return thrown as HoldfastError;
  }
  throw new Error('it was not refused');
};

test('answers and accounts are those of the model, and settled + reserved is never above the limit, in any history', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories([10, 90, 700, 1_500], [10, 100, 1_200, 5_000], 60),
      async (events) => {
        const { clock, ledger } = open();
        const model = new LedgerModel(settings, 0);
        for (const event of events) {
          if (event.kind === 'pass') {
            await clock.advance(event.ms);
            model.nowMs += event.ms;
          }
          expect(await judge(event, ledger, model)).toEqual([]);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('sums are exact: ten thousand cents are a hundred', () => {
  const { ledger, reserve } = open({ limit: 100_000_000 });
  for (let call = 0; call < 10_000; call += 1) reserve(`${call}`, 10_000);
  expect(refusal(() => reserve('one more', 1)).reason).toBe('COST_BUDGET_EXCEEDED');
  for (let call = 0; call < 10_000; call += 1) ledger.settle(`${call}`, undefined);
  expect(ledger.account('k')).toMatchObject({ settled: 100_000_000, reserved: 0 });
});

test('a refusal tells what is left of what, and when the next window begins', async () => {
  const { clock, ledger, reserve } = open({ limit: 1_000_000 });
  await clock.advance(200);
  reserve('a', 300_000);
  ledger.settle('a', 400_000);
  reserve('b', 500_000);
  expect(refusal(() => reserve('c', 100_001))).toMatchObject({
    kind: 'exhausted',
    reason: 'COST_BUDGET_EXCEEDED',
    target: 'llm',
    retryAfterMs: 800,
    message:
      '0.100001 for a call to "llm" do not fit into its budget of 1: 0.3 are spent, 0.5 put aside, 0.1 were spent beyond what was put aside',
    metadata: { limit: '1', settled: '0.3', reserved: '0.5', overshoot: '0.1' },
  });
  await clock.advance(800);
  expect(reserve('c', 1_000_000).amount).toBe(1_000_000);
});

test('what nobody settles is charged in full, to the window that it was put aside in', async () => {
  const { clock, ledger, reserve, told } = open();
  reserve('a', 60, { ttlMs: 100 });
  await clock.advance(800);
  expect(ledger.account('k')).toMatchObject({ settled: 60, reserved: 0 });
  reserve('b', 40, { ttlMs: 1_000 });
  await clock.advance(300);
  // The next window knows nothing of it, neither open nor charged.
  expect(ledger.account('k')).toMatchObject({ settled: 0, reserved: 0 });
  expect(ledger.settle('b', 45)).toBe(5);
  expect(ledger.account('k')).toMatchObject({ settled: 0, overshoot: 0 });
  expect(refusal(() => ledger.settle('a', 1)).reason).toBe('UNKNOWN_RESERVATION');
  expect(told).toMatchObject({ expired: 60, charged: 40, overshot: 5 });
});

test('a reservation that is late by less than a tick has expired all the same', async () => {
  const { clock, ledger, reserve } = open();
  reserve('a', 60, { ttlMs: 15 });
  await clock.advance(16);
  expect(refusal(() => ledger.settle('a', 1)).reason).toBe('UNKNOWN_RESERVATION');
  expect(ledger.account('k')).toMatchObject({ settled: 60, reserved: 0 });
});

test('repeated requests change nothing, for as long as thousands of others come in between', () => {
  const { ledger, reserve } = open({ limit: 1_000_000 });
  reserve('a', 60);
  expect(ledger.settle('a', 70)).toBe(10);
  for (let other = 0; other < 4_095; other += 1) {
    reserve(`${other}`, 1);
    ledger.release(`${other}`);
  }
  expect(ledger.settle('a', 1)).toBe(10);
  expect(refusal(() => reserve('a', 60)).reason).toBe('UNKNOWN_RESERVATION');
  ledger.release('0');
  expect(refusal(() => ledger.settle('0', 1)).reason).toBe('UNKNOWN_RESERVATION');
  // Then it is forgotten, and what is kept stays bounded.
  reserve('last', 1);
  ledger.release('last');
  expect(refusal(() => ledger.settle('a', 1)).reason).toBe('UNKNOWN_RESERVATION');
});

test('an id stands for one key', () => {
  const { reserve } = open();
  reserve('a', 60);
  expect(refusal(() => reserve('a', 60, { key: 'other' })).reason).toBe('INVALID_REQUEST');
});

test('a warning comes once a window and key, for what is put aside and for what is spent beyond', async () => {
  const { clock, ledger, told, reserve } = open();
  reserve('a', 79);
  expect(told.warned).toBe(0);
  ledger.settle('a', 80);
  expect(told.warned).toBe(1);
  reserve('b', 1);
  expect(told.warned).toBe(1);
  reserve('c', 80, { key: 'other' });
  expect(told.warned).toBe(2);
  await clock.advance(1_000);
  reserve('d', 90);
  expect(told.warned).toBe(3);
});

test('keys are bounded: in one window the next one is refused; those that came to nothing, and those of earlier windows, make room', async () => {
  const { clock, ledger, reserve } = open();
  for (let key = 0; key < 10_000; key += 1) reserve(`${key}`, 1, { key: `${key}`, ttlMs: 900 });
  expect(refusal(() => reserve('x', 1, { key: 'x' }))).toMatchObject({
    reason: 'COST_BUDGET_EXCEEDED',
    retryAfterMs: 1_000,
  });
  reserve('7 again', 1, { key: '7' });
  ledger.release('8');
  reserve('x', 1, { key: 'x' });
  expect(refusal(() => reserve('y', 1, { key: 'y' })).reason).toBe('COST_BUDGET_EXCEEDED');
  await clock.advance(1_000);
  expect(reserve('y', 1, { key: 'y' }).amount).toBe(1);
});

test('open reservations are bounded, even those of nothing', () => {
  const { ledger, reserve } = open();
  for (let call = 0; call < 50_000; call += 1) reserve(`${call}`, 0);
  expect(refusal(() => reserve('x', 0))).toMatchObject({
    reason: 'COST_BUDGET_EXCEEDED',
    retryAfterMs: 1_000,
  });
  ledger.release('0');
  reserve('x', 0);
});

test('a key of which nothing is taken, but something open, is not forgotten', () => {
  const { ledger, reserve } = open();
  reserve('a', 0);
  reserve('b', 0);
  ledger.release('a');
  ledger.settle('b', 30);
  expect(ledger.account('k')).toMatchObject({ overshoot: 30 });
});

test('a wall clock that is set back a little begins no window again; one that was far ahead does not hold it for ever', () => {
  const { clock, reserve } = open();
  clock.offsetMs = 50_100;
  reserve('a', 100);
  clock.offsetMs = 49_900;
  expect(refusal(() => reserve('b', 1)).retryAfterMs).toBe(1_100);
  clock.offsetMs = 100;
  expect(reserve('b', 1).account).toMatchObject({ reserved: 1, windowEndsInMs: 900 });
});

test('a new limit holds at once and counts what was spent; windows of another length begin anew', () => {
  const { ledger, reserve } = open();
  reserve('a', 60);
  ledger.configure({ ...settings, limit: 60 });
  expect(refusal(() => reserve('b', 1)).metadata).toMatchObject({ reserved: '0.00006' });
  ledger.configure({ ...settings, limit: 61 });
  reserve('b', 1);
  ledger.configure({ ...settings, windowMs: 60_000 });
  expect(ledger.account('k')).toMatchObject({ reserved: 0, windowEndsInMs: 60_000 });
  expect(ledger.settle('a', 61)).toBe(1);
  expect(ledger.account('k')).toMatchObject({ settled: 0, overshoot: 0 });
});
