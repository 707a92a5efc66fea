import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Breaker, refused, type BreakerSettings, type BreakerState } from './breaker.ts';
import type { Outcome } from './outcome.ts';

const settings: BreakerSettings = {
  failureRate: 0.5,
  slowRate: 0.8,
  slowCallMs: 100,
  minCalls: 4,
  windowMs: 1_000,
  openMs: 500,
  halfOpenCalls: 2,
};

interface Done {
  readonly slot: number;
  readonly failed: boolean;
  readonly slow: boolean;
}

/** The same machine, written for being read: it keeps every call, and counts anew each time. */
class Reference {
  #of: BreakerSettings;
  state: BreakerState = 'closed';
  epoch = 0;
  #since = 0;
  #done: Done[] = [];
  #probes = 0;
  #succeeded = 0;
  /** Numbers of the rounds since it became half-open. */
  #rounds: number[] = [];

  constructor(of: BreakerSettings) {
    this.#of = of;
  }

  admit(now: number): number {
    if (this.state !== 'closed' && now - this.#since >= this.#of.openMs) {
      const [rounds, succeeded] = [this.#rounds, this.#succeeded];
      this.#go('half-open', now);
      this.#succeeded = succeeded;
      this.#rounds = [...rounds, this.epoch];
    }
    if (this.state === 'open') return refused;
    if (this.state === 'half-open') {
      if (this.#probes >= this.#of.halfOpenCalls) return refused;
      this.#probes += 1;
    }
    return this.epoch;
  }

  settle(epoch: number, outcome: Outcome, tookMs: number, now: number): void {
    const slow = outcome !== 'waited' && tookMs > this.#of.slowCallMs;
    if (this.state === 'half-open') {
      if (!this.#rounds.includes(epoch)) return;
      if (outcome === 'throttled' || outcome === 'dropped') {
        if (epoch === this.epoch) this.#probes -= 1;
      } else if (outcome === 'failure' || (slow && this.#of.slowRate < 1)) this.#go('open', now);
      else {
        this.#succeeded += 1;
        if (this.#succeeded >= this.#of.halfOpenCalls) this.#go('closed', now);
      }
      return;
    }
    if (epoch !== this.epoch || outcome === 'throttled' || outcome === 'dropped') return;
    const slot = Math.floor(now / (this.#of.windowMs / 10));
    this.#done.push({ slot, failed: outcome === 'failure', slow });
    const recent = this.#done.filter((each) => slot - each.slot < 10);
    const failed = recent.filter((each) => each.failed).length;
    const slowOnes = recent.filter((each) => each.slow).length;
    if (recent.length < this.#of.minCalls || (outcome !== 'failure' && !slow)) return;
    const tooSlow = this.#of.slowRate < 1 && slowOnes >= this.#of.slowRate * recent.length;
    if (failed >= this.#of.failureRate * recent.length || tooSlow) this.#go('open', now);
  }

  configure(to: BreakerSettings): void {
    if (to.windowMs !== this.#of.windowMs) this.#done = [];
    this.#of = to;
  }

  #go(state: BreakerState, now: number): void {
    this.state = state;
    this.epoch += 1;
    this.#since = now;
    this.#done = [];
    this.#probes = 0;
    this.#succeeded = 0;
    this.#rounds = [];
  }
}

const anySettings = fc.record({
  failureRate: fc.double({ min: 0.05, max: 1, noNaN: true }),
  slowRate: fc.double({ min: 0.05, max: 1.2, noNaN: true }),
  slowCallMs: fc.constantFrom(10, 100),
  minCalls: fc.integer({ min: 1, max: 10 }),
  windowMs: fc.constantFrom(100, 1_000, 10_000),
  openMs: fc.constantFrom(50, 500, 5_000),
  halfOpenCalls: fc.integer({ min: 1, max: 4 }),
});
const outcomes = fc.constantFrom<Outcome>(
  'success',
  'waited',
  'failure',
  'failure',
  'throttled',
  'dropped',
);
const step = fc.record({
  passMs: fc.constantFrom(0, 1, 20, 90, 400, 2_000),
  /** Which of the open calls is settled after a new one was tried; none when there is no such one. */
  settles: fc.nat({ max: 6 }),
  outcome: outcomes,
  tookMs: fc.constantFrom(1, 50, 200),
  change: fc.option(anySettings, { nil: undefined, freq: 10 }),
});

test('equals a reference machine in random histories, also while its settings change, and never lets a probe too many through', () => {
  fc.assert(
    fc.property(anySettings, fc.array(step, { maxLength: 200, size: 'max' }), (first, steps) => {
      let chosen = first;
      const breaker = new Breaker(chosen, 0);
      const reference = new Reference(chosen);
      let open: number[] = [];
      let now = 0;
      for (const { passMs, settles, outcome, tookMs, change } of steps) {
        now += passMs;
        if (change !== undefined) {
          chosen = change;
          breaker.configure(change, now);
          reference.configure(change);
        }
        const before = open.filter((each) => each === reference.epoch).length;
        const epoch = breaker.admit(now);
        expect(epoch).toBe(reference.admit(now));
        expect(breaker.state).toBe(reference.state);
        if (epoch !== refused) open.push(epoch);
        const most = breaker.state === 'half-open' ? chosen.halfOpenCalls : Infinity;
        const probing = open.filter((each) => each === reference.epoch).length;
        expect(probing).toBeLessThanOrEqual(Math.max(most, before));
        const settled = open[settles];
        if (settled === undefined) continue;
        open = open.filter((_, at) => at !== settles);
        breaker.settle(settled, outcome, tookMs, now);
        reference.settle(settled, outcome, tookMs, now);
        expect(breaker.state).toBe(reference.state);
      }
    }),
    { numRuns: 200 },
  );
});

/** So many calls at once, all with one outcome. */
function run(breaker: Breaker, now: number, count: number, outcome: Outcome, tookMs = 1): void {
  for (let call = 0; call < count; call += 1) {
    const epoch = breaker.admit(now);
    if (epoch !== refused) breaker.settle(epoch, outcome, tookMs, now);
  }
}

describe('it opens', () => {
  test('at the failure rate, but not with too few calls', () => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 3, 'failure');
    expect(breaker.state).toBe('closed');
    run(breaker, 0, 1, 'failure');
    expect(breaker.state).toBe('open');
    expect(breaker.admit(499)).toBe(refused);
    expect(breaker.retryAfterMs(100)).toBe(400);
  });

  test('for slow calls that succeed', () => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 4, 'success', 101);
    expect(breaker.state).toBe('open');
  });

  test('not for what lasts as long as its caller likes', () => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 100, 'waited', 60_000);
    expect(breaker.state).toBe('closed');
  });

  test('not for failures that are too long ago', () => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 3, 'failure');
    run(breaker, 1_100, 3, 'failure');
    expect(breaker.state).toBe('closed');
  });

  test('never for answers that ask for less', () => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 1_000, 'throttled');
    expect(breaker.state).toBe('closed');
  });
});

describe('half-open', () => {
  const opened = (): Breaker => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 4, 'failure');
    return breaker;
  };

  test('closes when every probe succeeded', () => {
    const breaker = opened();
    const probes = [breaker.admit(500), breaker.admit(500)];
    expect(breaker.admit(500)).toBe(refused);
    for (const probe of probes) breaker.settle(probe, 'success', 1, 510);
    expect(breaker.state).toBe('closed');
  });

  test('opens at the first that fails, and the other one says nothing any more', () => {
    const breaker = opened();
    const [first, second] = [breaker.admit(500), breaker.admit(500)];
    breaker.settle(first, 'failure', 1, 510);
    expect(breaker.state).toBe('open');
    breaker.settle(second, 'success', 1, 520);
    expect([breaker.state, breaker.admit(1_009)]).toEqual(['open', refused]);
  });

  test('results from before it opened are dropped', () => {
    const breaker = new Breaker(settings, 0);
    const old = [breaker.admit(0), breaker.admit(0)];
    run(breaker, 0, 4, 'failure');
    breaker.admit(500);
    for (const each of old) breaker.settle(each, 'success', 1, 510);
    expect(breaker.state).toBe('half-open');
  });

  test('a probe that was throttled or never ran gives its place back', () => {
    const breaker = opened();
    for (const outcome of ['throttled', 'dropped'] as const) {
      const probes = [breaker.admit(500), breaker.admit(500)];
      for (const probe of probes) breaker.settle(probe, outcome, 1, 500);
    }
    expect(breaker.state).toBe('half-open');
    expect(breaker.admit(500)).not.toBe(refused);
  });

  test('probes that nobody settles lose their places after as long again', () => {
    const breaker = opened();
    expect([breaker.admit(500), breaker.admit(500)]).not.toContain(refused);
    expect(breaker.admit(999)).toBe(refused);
    expect(breaker.admit(1_000)).not.toBe(refused);
  });

  test('a target whose calls take longer than openMs is found well again', () => {
    const breaker = opened();
    const ends: { readonly atMs: number; readonly epoch: number }[] = [];
    for (let now = 500; now < 3_000 && breaker.state !== 'closed'; now += 50) {
      const epoch = breaker.admit(now);
      if (epoch !== refused) ends.push({ atMs: now + 700, epoch });
      while (ends[0] !== undefined && ends[0].atMs <= now) {
        breaker.settle((ends.shift() as { epoch: number }).epoch, 'success', 50, now);
      }
    }
    expect(breaker.state).toBe('closed');
  });

  test('a probe of an earlier round that fails late opens it again', () => {
    const breaker = opened();
    const probe = breaker.admit(500);
    expect(breaker.admit(1_000)).not.toBe(refused);
    breaker.settle(probe, 'failure', 600, 1_100);
    expect(breaker.state).toBe('open');
  });
});

describe('new settings', () => {
  test('keep an open breaker open', () => {
    const breaker = new Breaker(settings, 0);
    run(breaker, 0, 4, 'failure');
    breaker.configure({ ...settings, failureRate: 1, windowMs: 60_000 }, 10);
    expect(breaker.state).toBe('open');
    expect(breaker.admit(499)).toBe(refused);
    breaker.configure({ ...settings, openMs: 10 }, 20);
    expect(breaker.admit(30)).not.toBe(refused);
  });
});
