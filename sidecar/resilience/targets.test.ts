import { describe, expect, test } from 'vitest';
import type { Call } from '../../platform/call.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { LateLedger } from './late-ledger.test-kit.ts';
import type { Target } from './target.ts';
import { aCall, breaker, failed } from './target.test-kit.ts';
import { freeTargets } from './targets.test-kit.ts';
import { Targets, type TargetPolicySettings } from './targets.ts';

function free() {
  const clock = new TestClock();
  return { clock, targets: freeTargets(clock, () => 0.5) };
}

const policy = (settings: Partial<TargetPolicySettings> = {}): TargetPolicySettings => ({
  kind: 'Guard',
  name: 'llm',
  ...settings,
});

/** What a call ends with that fails so. */
const failing = (target: Target, error: HoldfastError): Promise<HoldfastError> =>
  target
    .run(aCall(), { run: () => Promise.reject(error), repeatable: () => true })
    .then(() => failed('internal'))
    .catch((thrown: HoldfastError) => thrown);

function refusal(ask: () => unknown): HoldfastError {
  try {
    ask();
  } catch (thrown) {
    return thrown as HoldfastError;
  }
  throw new Error('it was not refused');
}

describe('a swap of policy', () => {
  test('keeps an open breaker open', async () => {
    const { targets } = free();
    targets.configure([policy({ breaker })], []);
    const llm = targets.named('Guard', 'llm');
    for (let call = 0; call < 2; call += 1) await failing(llm, failed('unavailable'));
    const rate = { perSecond: 1, burst: 1 };
    targets.configure([policy({ breaker: { ...breaker, minCalls: 99 }, rate })], []);
    expect(targets.named('Guard', 'llm')).toBe(llm);
    expect(refusal(() => llm.enter(aCall())).reason).toBe('BREAKER_OPEN');
  });

  test('counts calls in flight against the new limit, also those of a time without any', async () => {
    const { targets, clock } = free();
    targets.configure([policy()], []);
    const llm = targets.named('Guard', 'llm');
    const entries = await Promise.all([1, 2, 3].map(async () => llm.enter(aCall())));
    targets.configure([policy({ concurrency: { max: 3, queue: 1, queueTimeoutMs: 60_000 } })], []);
    const waiting = Promise.resolve(llm.enter(aCall()));
    expect([llm.gate.inFlight, llm.gate.waiting]).toEqual([3, 1]);
    expect(refusal(() => llm.enter(aCall())).reason).toBe('CONCURRENCY_LIMIT');
    targets.configure([policy({ concurrency: { max: 1, queue: 1, queueTimeoutMs: 60_000 } })], []);
    for (const entry of entries.slice(1)) void entry.settle('success');
    await clock.advance(0);
    expect([llm.gate.inFlight, llm.gate.waiting]).toEqual([1, 1]);
    void entries[0]?.settle('success');
    void (await waiting).settle('success');
    expect([llm.gate.inFlight, llm.gate.waiting]).toEqual([0, 0]);
  });

  test('keeps what was spent, even over a time without a budget', async () => {
    const { targets, clock } = free();
    const cost = {
      limit: 10,
      windowMs: 60_000,
      warnAt: 1,
      estimate: 6,
      reservationMs: 1_000,
      database: undefined,
    };
    targets.configure([policy({ cost })], []);
    const llm = targets.withBudget('llm');
    void (await llm.enter(aCall(), { key: 'k' })).settle('success');
    targets.configure([policy()], []);
    expect(() => targets.withBudget('llm')).toThrow('no target with cost');
    void (await llm.enter(aCall(), { key: 'k' })).settle('success');
    targets.configure([policy({ cost: { ...cost, limit: 12 } })], []);
    void (await llm.enter(aCall(), { key: 'k' })).settle('success');
    expect(refusal(() => llm.enter(aCall(), { key: 'k' })).reason).toBe('COST_BUDGET_EXCEEDED');
    await clock.advance(60_000);
    void (await llm.enter(aCall(), { key: 'k' })).settle('success');
  });

  test('to no policy lets everything through', async () => {
    const { targets } = free();
    const redis = targets.of('Redis', 'default');
    expect(redis.passes).toBe(true);
    targets.configure([policy({ kind: 'Redis', name: 'default', breaker })], []);
    expect(redis.passes).toBe(false);
    for (let call = 0; call < 2; call += 1) await failing(redis, failed('unavailable'));
    expect(refusal(() => redis.enter(aCall())).reason).toBe('BREAKER_OPEN');
    targets.configure([], []);
    expect([redis.passes, redis.gate.breakerState]).toEqual([true, undefined]);
  });
});

describe('names', () => {
  test('that no policy has are refused, with those that there are', () => {
    const { targets } = free();
    const unknown = (): HoldfastError => refusal(() => targets.named('Guard', 'orders'));
    expect(unknown()).toMatchObject({ kind: 'not-found', reason: 'UNKNOWN_TARGET' });
    expect(unknown().message).toContain('has none');
    targets.configure([policy(), policy({ name: 'mail' }), policy({ kind: 'Upstream' })], []);
    expect(unknown().message).toContain('has "llm", "mail"');
    expect(unknown().message).not.toContain('orders');
    targets.configure([policy()], []);
    expect(refusal(() => targets.named('Guard', 'mail')).reason).toBe('UNKNOWN_TARGET');
  });

  test('of a policy that is only rehearsed are known: nothing is refused for it', async () => {
    const { targets } = free();
    targets.configure([], [policy({ rate: { perSecond: 1, burst: 1 } })]);
    const llm = targets.named('Guard', 'llm');
    for (let call = 0; call < 5; call += 1) void (await llm.enter(aCall())).settle('success');
    expect([llm.isShadowed, targets.label('Guard', 'llm')]).toEqual([true, 'llm']);
  });

  test('are labels only when a policy has them', () => {
    const { targets } = free();
    targets.of('Postgres', 'made-up');
    targets.configure([policy()], []);
    expect([targets.label('Guard', 'llm'), targets.label('Guard', 'x')]).toEqual([
      'llm',
      'unknown',
    ]);
    expect(targets.label('Postgres', 'made-up')).toBe('unknown');
  });
});

describe('without a word on retries', () => {
  /** How often work is tried that fails so for ever. */
  async function tries(clock: TestClock, target: Target) {
    let count = 0;
    const run = (_call: Call): Promise<never> => {
      count += 1;
      return Promise.reject(failed('conflict'));
    };
    const ended = target.run(aCall(), { run, repeatable: () => true }).catch(() => {});
    await clock.advance(1_000);
    await ended;
    return count;
  }

  test('databases repeat what is safe twice, nothing else is repeated', async () => {
    const { targets, clock } = free();
    const orders = targets.of('Postgres', 'orders');
    expect(await tries(clock, orders)).toBe(3);
    targets.configure([policy({ kind: 'Postgres', name: 'orders', breaker })], []);
    expect(await tries(clock, orders)).toBe(3);
    const retry = {
      maxAttempts: 1,
      backoff: { baseMs: 1, maxMs: 1 },
      on: [],
      budget: { ratio: 0, minPerSecond: 0 },
    };
    targets.configure([policy({ kind: 'Postgres', name: 'orders', retry })], []);
    expect(await tries(clock, orders)).toBe(1);
    expect(await tries(clock, targets.of('Redis', 'default'))).toBe(1);
  });

  test('within a tenth of all calls, and a hundred at once after a quiet time', async () => {
    const { targets, clock } = free();
    const orders = targets.of('Postgres', 'orders');
    let count = 0;
    const run = (): Promise<never> => {
      count += 1;
      return Promise.reject(failed('unavailable'));
    };
    const calls = Array.from({ length: 200 }, () =>
      orders.run(aCall(), { run, repeatable: () => true }).catch(() => {}),
    );
    await clock.advance(30);
    await clock.advance(1_000);
    await Promise.all(calls);
    expect(count).toBe(200 + 100 + 20);
  });
});

test('a rehearsal spends nothing of what the fleet has, and no books but its own', () => {
  const { clock } = free();
  const opened: (string | undefined)[] = [];
  const nothing = (): void => {};
  const targets = new Targets({
    clock,
    random: () => 0.5,
    deadlines: new Deadlines(clock),
    newId: () => 'id',
    events: () => ({
      onBreaker: nothing,
      onRetry: nothing,
      onRefused: nothing,
      onShadowRefused: nothing,
      onShadowRetry: nothing,
    }),
    openLedger: (_kind, _name, { database }) => {
      opened.push(database);
      return new LateLedger();
    },
  });
  const inPod = {
    limit: 1,
    windowMs: 60_000,
    warnAt: 1,
    estimate: 6,
    reservationMs: 1_000,
    database: undefined,
  };
  const inFleet = { ...inPod, database: 'orders' };
  targets.configure([policy()], [policy({ cost: inFleet })]);
  expect(opened).toEqual([]);
  targets.configure([policy({ cost: inPod })], [policy({ cost: inPod })]);
  targets.configure([policy({ cost: inPod })], [policy({ cost: inPod })]);
  expect(opened).toEqual([undefined, undefined]);
  targets.configure([policy({ cost: inFleet })], []);
  expect(opened).toEqual([undefined, undefined, 'orders']);
});

test('of two budgets of one name that of the guarded target is meant, whichever came first', () => {
  const { targets } = free();
  const cost = {
    limit: 10,
    windowMs: 60_000,
    warnAt: 0.5,
    estimate: 1,
    reservationMs: 1_000,
    database: undefined,
  };
  targets.configure([policy({ kind: 'Upstream', cost })], []);
  expect(targets.withBudget('llm').kind).toBe('Upstream');
  targets.configure([policy({ kind: 'Upstream', cost }), policy({ cost })], []);
  expect(targets.withBudget('llm').kind).toBe('Guard');
});
