import { describe, expect, test } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import type { TestClock } from '../../platform/test-clock.ts';
import { PodLedger } from './pod-ledger.ts';
import { aCall, aTarget, breaker, failed, retry } from './target.test-kit.ts';
import type { TargetSettings } from './target-parts.ts';

/** A target whose policy is only rehearsed. */
function shadowed(settings: TargetSettings, inForce: TargetSettings = {}) {
  const kit = aTarget(inForce);
  kit.target.shadow(settings);
  return kit;
}

/** So many calls, one after the other. */
function runEach(kit: ReturnType<typeof aTarget>, count: number, error = failed('unavailable')) {
  return Array.from({ length: count }, () => kit.run([error]).answers);
}

const aLedger = (clock: TestClock, limit: number): PodLedger =>
  new PodLedger(
    { limit, windowMs: 60_000, warnAt: 1 },
    {
      target: 'orders',
      clock,
      deadlines: new Deadlines(clock),
      events: { charged: () => {}, overshot: () => {}, expired: () => {}, warned: () => {} },
    },
  );

describe('nothing is refused, and what would have been is counted by its reason', () => {
  test('RATE_LIMITED', async () => {
    const kit = shadowed({ rate: { perSecond: 1, burst: 2 } });
    const answers = Array.from({ length: 5 }, () => kit.run([]).answers);
    await kit.clock.advance(0);
    expect(answers.flat()).toEqual(Array.from({ length: 5 }, () => 'done'));
    expect(kit.told.shadowRefused).toEqual(Array.from({ length: 3 }, () => 'RATE_LIMITED'));
    expect(kit.told.refused).toEqual([]);
  });

  test('BREAKER_OPEN', async () => {
    const kit = shadowed({ breaker });
    runEach(kit, 2);
    await kit.clock.advance(0);
    const answers = runEach(kit, 3);
    await kit.clock.advance(0);
    expect(answers.flat()).toMatchObject(Array.from({ length: 3 }, () => ({ reason: 'INTERNAL' })));
    expect(kit.told.shadowRefused).toEqual(Array.from({ length: 3 }, () => 'BREAKER_OPEN'));
    expect([kit.told.states, kit.target.gate.breakerState]).toEqual([[], undefined]);
  });

  test('CONCURRENCY_LIMIT, at once or after the wait that there would have been', async () => {
    const kit = shadowed({ concurrency: { max: 1, queue: 1, queueTimeoutMs: 50 } });
    const calls = [1, 2, 3].map(() => kit.run([], { takesMs: 100 }));
    expect([kit.tries, kit.told.shadowRefused]).toEqual([[0, 0, 0], ['CONCURRENCY_LIMIT']]);
    await kit.clock.advance(60);
    expect(kit.told.shadowRefused).toHaveLength(2);
    await kit.clock.advance(40);
    expect(calls.flatMap(({ answers }) => answers)).toEqual(['done', 'done', 'done']);
  });

  test('COST_BUDGET_EXCEEDED', async () => {
    const kit = aTarget({});
    const ledger = aLedger(kit.clock, 10);
    kit.target.shadow({ cost: { estimate: 4, reservationMs: 60_000 } }, ledger);
    const answers = Array.from({ length: 4 }, () => kit.run([]).answers);
    await kit.clock.advance(0);
    expect(answers.flat()).toHaveLength(4);
    expect(kit.told.shadowRefused).toEqual(['COST_BUDGET_EXCEEDED', 'COST_BUDGET_EXCEEDED']);
    expect(ledger.account('')).toMatchObject({ settled: 8, reserved: 0 });
  });

  test.each([
    ['of a try', { perTryMs: 50, totalMs: 1_000 }],
    ['of all tries', { perTryMs: 0, totalMs: 50 }],
  ])('TARGET_TIMEOUT %s', async (_which, timeout) => {
    const kit = shadowed({ timeout });
    const [slow, fast] = [kit.run([], { takesMs: 60 }), kit.run([], { takesMs: 50 })];
    await kit.clock.advance(100);
    expect([slow.answers, fast.answers]).toEqual([['done'], ['done']]);
    expect(kit.told.shadowRefused).toEqual(['TARGET_TIMEOUT']);
  });

  test('tries that would have been made once more', async () => {
    const kit = shadowed({ retry: { ...retry, budget: { ratio: 0, minPerSecond: 0.2 } } });
    runEach(kit, 5);
    kit.run([failed('invalid')]);
    kit.run([failed('unavailable')], { repeatable: false });
    await kit.clock.advance(1_000);
    // As many as there is a budget for.
    expect([kit.tries.length, kit.told.shadowRetries, kit.told.retries]).toEqual([7, 2, 0]);
  });
});

describe('what a rehearsal refuses feeds nothing', () => {
  test('its breaker stays open while the calls that it would not have let through succeed', async () => {
    const kit = shadowed({ breaker: { ...breaker, openMs: 1_000 } });
    runEach(kit, 2);
    await kit.clock.advance(0);
    for (let call = 0; call < 20; call += 1) kit.run([]);
    await kit.clock.advance(999);
    kit.run([]);
    expect(kit.told.shadowRefused).toHaveLength(21);
  });

  test('it takes no place and no token', async () => {
    const kit = shadowed({
      concurrency: { max: 1, queue: 0, queueTimeoutMs: 50 },
      rate: { perSecond: 1, burst: 2 },
    });
    for (let call = 0; call < 5; call += 1) kit.run([], { takesMs: 10 });
    await kit.clock.advance(10);
    kit.run([], { takesMs: 10 });
    await kit.clock.advance(10);
    expect(kit.told.shadowRefused).toEqual(Array.from({ length: 4 }, () => 'CONCURRENCY_LIMIT'));
  });
});

test('what would have been too late is a failure to the rehearsed breaker', async () => {
  const kit = shadowed({ breaker, timeout: { perTryMs: 50, totalMs: 1_000 } });
  for (let call = 0; call < 2; call += 1) kit.run([], { takesMs: 60 });
  await kit.clock.advance(60);
  kit.run([]);
  expect(kit.told.shadowRefused).toEqual(['TARGET_TIMEOUT', 'TARGET_TIMEOUT', 'BREAKER_OPEN']);
});

test('a call that stands in the rehearsed queue leaves it when it has ended', async () => {
  const kit = shadowed({ concurrency: { max: 1, queue: 1, queueTimeoutMs: 50_000 } });
  kit.run([], { takesMs: 100 });
  kit.run([], { takesMs: 10 });
  await kit.clock.advance(20);
  kit.run([], { takesMs: 10 });
  await kit.clock.advance(20);
  expect(kit.told.shadowRefused).toEqual([]);
  await kit.clock.advance(100);
  expect(kit.clock.alarms).toBe(0);
});

test('time in the queue of the policy in force is not the rehearsed time of a try', async () => {
  const kit = shadowed(
    { timeout: { perTryMs: 50, totalMs: 1_000 } },
    { concurrency: { max: 1, queue: 5, queueTimeoutMs: 1_000 } },
  );
  kit.run([], { takesMs: 40 });
  kit.run([], { takesMs: 40 });
  const { call } = kit.run([], { takesMs: 40 });
  await kit.clock.advance(79);
  call.end(cancelled());
  await kit.clock.advance(100);
  expect(kit.told.shadowRefused).toEqual([]);
});

describe('entries of calls that the caller makes itself', () => {
  test('are rehearsed', async () => {
    const kit = shadowed({ concurrency: { max: 1, queue: 0, queueTimeoutMs: 50 } });
    const entries = [kit.target.enter(aCall()), kit.target.enter(aCall())];
    expect(kit.told.shadowRefused).toEqual(['CONCURRENCY_LIMIT']);
    for (const entry of entries) void (await entry).settle('success');
    void kit.target.enter(aCall());
    expect(kit.told.shadowRefused).toHaveLength(1);
  });

  test('give back a place that they get when they end', async () => {
    const kit = shadowed({ concurrency: { max: 1, queue: 1, queueTimeoutMs: 50 } });
    const entries = [await kit.target.enter(aCall()), await kit.target.enter(aCall())];
    for (const entry of entries) void entry.settle('success');
    await kit.clock.advance(0);
    for (let call = 0; call < 2; call += 1) void kit.target.enter(aCall());
    await kit.clock.advance(0);
    expect(kit.told.shadowRefused).toEqual([]);
  });
});

test('what the policy in force refuses holds no rehearsed place', async () => {
  const kit = shadowed(
    { concurrency: { max: 2, queue: 0, queueTimeoutMs: 50 } },
    { rate: { perSecond: 1, burst: 1 } },
  );
  void kit.target.enter(aCall());
  for (let call = 0; call < 5; call += 1) {
    expect(() => kit.target.enter(aCall())).toThrow('faster');
    kit.run([]);
  }
  await kit.clock.advance(0);
  expect([kit.told.shadowRefused, kit.told.refused.length]).toEqual([[], 10]);
});

test('what it would have refused it does not count as too late as well', async () => {
  const kit = shadowed({
    rate: { perSecond: 0.001, burst: 1 },
    timeout: { perTryMs: 50, totalMs: 1_000 },
  });
  kit.run([]);
  kit.run([], { takesMs: 100 });
  await kit.clock.advance(100);
  expect(kit.told.shadowRefused).toEqual(['RATE_LIMITED']);
});

test('a rehearsal that is over counts nothing, and one that goes on keeps its state', async () => {
  const kit = shadowed({ breaker });
  expect([kit.target.isShadowed, kit.target.passes]).toEqual([true, false]);
  runEach(kit, 2);
  await kit.clock.advance(0);
  kit.target.shadow({ breaker: { ...breaker, minCalls: 100 } });
  kit.run([]);
  expect(kit.told.shadowRefused).toEqual(['BREAKER_OPEN']);
  kit.target.shadow(undefined);
  kit.run([]);
  await kit.clock.advance(0);
  expect(kit.told.shadowRefused).toHaveLength(1);
  expect([kit.target.isShadowed, kit.target.passes]).toEqual([false, true]);
});
