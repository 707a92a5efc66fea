import { describe, expect, test } from 'vitest';
import { Call, cancelled } from '../../platform/call.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import type { BreakerState } from './breaker.ts';
import type { CostSettings } from './cost-ledger.ts';
import { Gate, type GateSettings } from './gate.ts';
import { Permit } from './permit.ts';
import { PodLedger } from './pod-ledger.ts';

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
const perTry = { estimate: 4, reservationMs: 60_000 };

/** Settings of a gate whose budget is in this pod's memory. */
interface Settings extends Omit<GateSettings, 'cost'> {
  readonly cost?: CostSettings;
}

function aGate(settings: Settings) {
  const clock = new TestClock();
  const states: BreakerState[] = [];
  const warned: string[] = [];
  let ids = 0;
  const gate = new Gate({
    target: 'orders',
    clock,
    onBreaker: (state) => states.push(state),
    newId: () => `${(ids += 1)}`,
  });
  let ledger: PodLedger | undefined;
  const configure = ({ cost: budget, ...others }: Settings): void => {
    if (budget === undefined) return gate.configure(others, undefined);
    ledger ??= new PodLedger(budget, {
      target: 'orders',
      clock,
      deadlines: new Deadlines(clock),
      events: {
        charged: () => {},
        overshot: () => {},
        expired: () => {},
        warned: () => warned.push('warned'),
      },
    });
    ledger.configure(budget);
    return gate.configure({ ...others, cost: perTry }, ledger);
  };
  configure(settings);
  const admit = (): Permit => {
    const permit = gate.admit(aCall(), clock.now(), Infinity, { key: 'k' });
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
  return { gate, clock, states, warned, configure, admit, refusal };
}

test('without settings everything goes through', () => {
  const { admit, gate } = aGate({});
  const permits = Array.from({ length: 1_000 }, admit);
  expect(gate.inFlight).toBe(1_000);
  for (const permit of permits) void permit.settle('success');
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
        if ('breaker' in settings) void permit.settle('failure');
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
    const { admit, refusal, gate, configure } = aGate({
      concurrency: { ...concurrency, max: 5 },
      rate,
      cost: { ...cost, limit: 100 },
    });
    admit();
    admit();
    expect(refusal().reason).toBe('RATE_LIMITED');
    expect(gate.inFlight).toBe(2);
    configure({ cost: { ...cost, limit: 12 } });
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
    for (let call = 0; call < 2; call += 1) void admit().settle('failure', 0);
    for (let call = 0; call < 10; call += 1) expect(refusal().reason).toBe('BREAKER_OPEN');
    expect([gate.inFlight, gate.waiting]).toEqual([0, 0]);
    // The third token is still there for the probe.
    await clock.advance(500);
    expect(admit()).toBeInstanceOf(Permit);
  });

  test('the token of the rate, when the breaker has no place for a probe', async () => {
    const { clock, admit, refusal } = aGate({ breaker, rate: { perSecond: 0.001, burst: 4 } });
    for (let call = 0; call < 2; call += 1) void admit().settle('failure');
    await clock.advance(500);
    const probe = admit();
    for (let call = 0; call < 10; call += 1) expect(refusal().reason).toBe('BREAKER_OPEN');
    void probe.settle('success');
    void admit().settle('success');
    expect(refusal().reason).toBe('RATE_LIMITED');
  });

  test('a place for a probe is taken by who goes, not by who waits', async () => {
    const { gate, clock, admit } = aGate({ breaker, concurrency });
    for (let call = 0; call < 2; call += 1) void admit().settle('failure');
    await clock.advance(500);
    const probe = admit();
    const second = Promise.resolve(gate.admit(aCall(), clock.now(), Infinity)).then(
      () => 'in',
      (error: HoldfastError) => error.reason,
    );
    void probe.settle('failure');
    expect(await second).toBe('BREAKER_OPEN');
    expect(gate.inFlight).toBe(0);
  });
});

describe('a permit', () => {
  test('is settled once', () => {
    const { admit, gate } = aGate({ concurrency });
    const permit = admit();
    void permit.settle('success');
    void permit.settle('success');
    expect(gate.inFlight).toBe(0);
  });

  test('costs what it is said to cost, and all that was put aside without a word on it', () => {
    const { admit, refusal, warned } = aGate({ cost });
    void admit().settle('dropped', 0);
    void admit().settle('success', 1);
    void admit().settle('failure');
    expect(warned).toEqual(['warned']);
    // 1 + 4 are spent.
    void admit().settle('success', 4);
    expect(refusal().reason).toBe('COST_BUDGET_EXCEEDED');
  });
});

describe('new settings while calls are in flight', () => {
  test('a limit that comes later counts those that are in already', () => {
    const { gate, configure, admit, refusal } = aGate({});
    const permits = [admit(), admit()];
    configure({ concurrency: { max: 2, queue: 0, queueTimeoutMs: 1 } });
    expect(refusal().reason).toBe('CONCURRENCY_LIMIT');
    for (const permit of permits) void permit.settle('success');
    expect([gate.inFlight, admit() instanceof Permit]).toEqual([0, true]);
  });

  test('an open breaker stays open, a new one does not count what it did not let in', () => {
    const { gate, configure, admit, refusal, states } = aGate({});
    const permits = [admit(), admit(), admit()];
    configure({ breaker });
    for (const permit of permits) void permit.settle('failure');
    expect(gate.breakerState).toBe('closed');
    for (let call = 0; call < 2; call += 1) void admit().settle('failure');
    configure({ breaker: { ...breaker, failureRate: 1, minCalls: 50 } });
    expect(refusal().reason).toBe('BREAKER_OPEN');
    expect(states).toEqual(['open']);
    configure({});
    admit();
  });

  test('a probe of a breaker that is gone says nothing to the next one', async () => {
    const { clock, configure, admit, refusal } = aGate({});
    const probes: Permit[] = [];
    for (const settings of [{ breaker }, {}, { breaker }]) {
      configure(settings);
      for (let call = 0; call < 2; call += 1) void admit().settle('failure');
      await clock.advance(500);
      probes.push(admit());
    }
    void probes[0]?.settle('throttled');
    expect(refusal().reason).toBe('BREAKER_OPEN');
    void probes[2]?.settle('throttled');
    admit();
  });

  test('an adaptive limit moves between its bounds', () => {
    const adaptive = { min: 2, max: 20 };
    const { gate, admit } = aGate({
      concurrency: { max: 10, queue: 0, queueTimeoutMs: 1, adaptive },
    });
    for (let call = 0; call < 200; call += 1) void admit().settle('failure');
    const permits = [admit(), admit()];
    expect(() => admit()).toThrow('run at once');
    for (const permit of permits) void permit.settle('success');
    expect(gate.inFlight).toBe(0);
  });
});

test('a call that ends in the turn in which it is let in takes no place and no token', async () => {
  const it = aGate({ concurrency, rate });
  const first = it.gate.admit(aCall(), 0, Infinity) as Permit;
  const call = aCall();
  const second = it.gate.admit(call, 0, Infinity) as Promise<Permit>;
  void first.settle('success', 0);
  call.end(cancelled());
  await expect(second).rejects.toMatchObject({ reason: 'CANCELLED' });
  expect(it.gate.inFlight).toBe(0);
  const third = it.gate.admit(aCall(), 0, Infinity);
  expect(third).toBeInstanceOf(Permit);
});
