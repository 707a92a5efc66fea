import { describe, expect, test } from 'vitest';
import { Call } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { BreakerState } from './breaker.ts';
import { Gate, Permit, type GateSettings } from './gate.ts';

const scope = { onClose: () => () => {}, push: () => {} };
const aCall = (): Call => new Call({ scope, deadlineAtMs: Infinity });
const breaker = {
  failureRate: 0.5,
  slowRate: 1,
  slowCallMs: 1_000,
  minCalls: 2,
  windowMs: 1_000,
  openMs: 500,
  halfOpenCalls: 1,
};
const concurrency = { max: 1, queue: 2, queueTimeoutMs: 100 };
const rate = { perSecond: 1, burst: 2 };
const cost = { limit: 10, windowMs: 60_000, warnAt: 0.5 };
const estimate = { key: 'k', estimate: 4, ttlMs: 60_000 };

function aGate(settings: GateSettings) {
  const clock = new TestClock();
  const states: BreakerState[] = [];
  const warned: string[] = [];
  const gate = new Gate(settings, {
    target: 'orders',
    clock,
    onBreaker: (state) => states.push(state),
    onCostWarning: (key) => warned.push(key),
  });
  const admit = (): Permit => {
    const permit = gate.admit(aCall(), estimate);
    if (permit instanceof Permit) return permit;
    throw new Error('it waits');
  };
  const refusal = (): HoldfastError => {
    try {
      admit();
    } catch (error) {
      return error as HoldfastError;
    }
    throw new Error('it was not refused');
  };
  return { gate, clock, states, warned, admit, refusal };
}

test('without settings everything goes through', () => {
  const { admit, gate } = aGate({});
  const permits = Array.from({ length: 1_000 }, admit);
  expect(gate.inFlight).toBe(1_000);
  for (const permit of permits) permit.settle('success');
  expect(gate.inFlight).toBe(0);
});

describe('each refusal says why and when to try again', () => {
  test.each([
    ['BREAKER_OPEN', { breaker }, 'unavailable'],
    ['CONCURRENCY_LIMIT', { concurrency: { ...concurrency, queue: 0 } }, 'exhausted'],
    ['RATE_LIMITED', { rate }, 'exhausted'],
    ['COST_BUDGET_EXCEEDED', { cost }, 'exhausted'],
  ])('%s', (reason, settings, kind) => {
    const { admit, refusal } = aGate(settings);
    for (let call = 0; call < 2; call += 1) {
      try {
        const permit = admit();
        if ('breaker' in settings) permit.settle('failure');
      } catch {
        // The bulkhead is full with the first.
      }
    }
    const error = refusal();
    expect(error).toMatchObject({ kind, reason, target: 'orders' });
    expect(error.retryAfterMs).toBeGreaterThan(0);
  });
});

describe('who is refused gives back what it had', () => {
  test('the place in the bulkhead and the cost, when the rate refuses', () => {
    const { admit, refusal, gate } = aGate({
      concurrency: { ...concurrency, max: 5 },
      rate,
      cost: { ...cost, limit: 100 },
    });
    admit();
    admit();
    expect(refusal().reason).toBe('RATE_LIMITED');
    expect(gate.inFlight).toBe(2);
    gate.configure({ cost: { ...cost, limit: 12 } });
    admit(); // 4 of 12 are left, so nothing of the refused one is put aside
    expect(refusal().reason).toBe('COST_BUDGET_EXCEEDED');
  });

  test('an open breaker charges nothing and waits for nothing', async () => {
    const { admit, refusal, gate, clock } = aGate({
      breaker,
      concurrency,
      rate: { perSecond: 0.001, burst: 3 },
      cost,
    });
    for (let call = 0; call < 2; call += 1) admit().settle('failure', 0);
    for (let call = 0; call < 10; call += 1) expect(refusal().reason).toBe('BREAKER_OPEN');
    expect([gate.inFlight, gate.waiting]).toEqual([0, 0]);
    // The third token is still there for the probe.
    await clock.advance(500);
    expect(admit()).toBeInstanceOf(Permit);
  });

  test('a place for a probe is taken by who goes, not by who waits', async () => {
    const { gate, clock, admit } = aGate({ breaker, concurrency });
    for (let call = 0; call < 2; call += 1) admit().settle('failure');
    await clock.advance(500);
    const probe = admit();
    const second = Promise.resolve(gate.admit(aCall())).then(
      () => 'in',
      (error: HoldfastError) => error.reason,
    );
    probe.settle('failure');
    expect(await second).toBe('BREAKER_OPEN');
    expect(gate.inFlight).toBe(0);
  });
});

describe('a permit', () => {
  test('is settled once', () => {
    const { admit, gate } = aGate({ concurrency });
    const permit = admit();
    permit.settle('success');
    permit.settle('success');
    expect(gate.inFlight).toBe(0);
  });

  test('that was dropped costs nothing, and one without a word on it its estimate', () => {
    const { admit, refusal, warned } = aGate({ cost });
    admit().settle('dropped');
    admit().settle('success', 1);
    admit().settle('failure');
    expect(warned).toEqual(['k']);
    // 1 + 4 are spent.
    admit().settle('success', 4);
    expect(refusal().reason).toBe('COST_BUDGET_EXCEEDED');
  });
});

describe('new settings while calls are in flight', () => {
  test('a limit that comes later counts those that are in already', () => {
    const { gate, admit, refusal } = aGate({});
    const permits = [admit(), admit()];
    gate.configure({ concurrency: { max: 2, queue: 0, queueTimeoutMs: 1 } });
    expect(refusal().reason).toBe('CONCURRENCY_LIMIT');
    for (const permit of permits) permit.settle('success');
    expect([gate.inFlight, admit() instanceof Permit]).toEqual([0, true]);
  });

  test('an open breaker stays open, a new one does not count what it did not let in', () => {
    const { gate, admit, refusal, states } = aGate({});
    const permits = [admit(), admit(), admit()];
    gate.configure({ breaker });
    for (const permit of permits) permit.settle('failure');
    expect(gate.breakerState).toBe('closed');
    for (let call = 0; call < 2; call += 1) admit().settle('failure');
    gate.configure({ breaker: { ...breaker, failureRate: 1, minCalls: 50 } });
    expect(refusal().reason).toBe('BREAKER_OPEN');
    expect(states).toEqual(['open']);
    gate.configure({});
    admit();
  });

  test('an adaptive limit moves between its bounds', () => {
    const adaptive = { min: 2, max: 20 };
    const { gate, admit } = aGate({
      concurrency: { max: 10, queue: 0, queueTimeoutMs: 1, adaptive },
    });
    for (let call = 0; call < 200; call += 1) admit().settle('failure');
    const permits = [admit(), admit()];
    expect(() => admit()).toThrow('run at once');
    for (const permit of permits) permit.settle('success');
    expect(gate.inFlight).toBe(0);
  });
});
