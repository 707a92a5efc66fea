import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../platform/errors.ts';
import { constantLoad } from './constant-load.test-kit.ts';
import { fullPolicy, realTarget } from './full-policy.test-kit.ts';
import { aCall, aTarget } from './target.test-kit.ts';

const repeatable = (): boolean => true;

test('50 tasks at a limit of 5: never above 5, and all done', async () => {
  const { target } = realTarget({ concurrency: { max: 5, queue: 50, queueTimeoutMs: 60_000 } });
  let [running, most, done] = [0, 0, 0];
  const run = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await sleep(2);
    running -= 1;
    done += 1;
  };
  const tasks = Array.from({ length: 50 }, () => target.run(aCall(), { run, repeatable }));
  await Promise.all(tasks);
  expect([most, done, target.gate.inFlight, target.gate.waiting]).toEqual([5, 50, 0, 0]);
});

test('1,500 concurrent calls through a breaker while the dependency fails and heals: over 90 % get what the policy says', async () => {
  const { breaker } = fullPolicy;
  const { target, clock, told } = aTarget({
    breaker: { ...breaker, minCalls: 50, windowMs: 100, openMs: 30 },
  });
  const [failsAtMs, healsAtMs, endsAtMs] = [500, 1_000, 1_700];
  const fails = (atMs: number): boolean => atMs >= failsAtMs && atMs < healsAtMs;
  let [calls, asTold] = [0, 0];
  const run = async (): Promise<void> => {
    await clock.sleep(2);
    if (fails(clock.now())) {
      throw new HoldfastError('unavailable', 'INTERNAL', 'it fails');
    }
  };
  const caller = async (): Promise<void> => {
    for (;;) {
      const atMs = clock.now();
      if (atMs > endsAtMs) return;
      const result = await target.run(aCall(), { run, repeatable }).then(
        () => 'done',
        ({ reason }: HoldfastError) => reason,
      );
      calls += 1;
      if (result === (fails(atMs) ? 'BREAKER_OPEN' : 'done')) asTold += 1;
      await clock.sleep(40);
    }
  };
  const callers = Promise.all(Array.from({ length: 1_500 }, caller));
  await clock.advance(endsAtMs + 100);
  await callers;
  console.info(
    `${Math.round((calls / endsAtMs) * 1_000)} calls a second, ${((100 * asTold) / calls).toFixed(1)} % as the policy says`,
  );
  expect(asTold / calls).toBeGreaterThan(0.9);
  // Every probe that failed opened it again; the last ones closed it for good.
  expect(told.states.join(' ')).toMatch(/^open( half-open open)* half-open closed$/);
  expect(target.gate.inFlight).toBe(0);
});

test('from 10 to 200 concurrent calls latency grows no faster than the queue', async () => {
  const { target, clock } = aTarget({
    concurrency: { max: 10, queue: 500, queueTimeoutMs: 60_000 },
  });
  const run = (): Promise<void> => clock.sleep(3);
  const medianMs = async (concurrent: number): Promise<number> => {
    const latencies: number[] = [];
    const caller = async (): Promise<void> => {
      for (let call = 0; call < 5; call += 1) {
        const startedAtMs = clock.now();
        await target.run(aCall(), { run, repeatable });
        latencies.push(clock.now() - startedAtMs);
      }
    };
    const callers = Promise.all(Array.from({ length: concurrent }, caller));
    await clock.advance(5 * 3 * concurrent);
    await callers;
    return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length / 2)] as number;
  };
  expect([await medianMs(10), await medianMs(50), await medianMs(200)]).toEqual([3, 15, 60]);
});

describe('1,000 swaps between two policies under load', () => {
  test('lose no call, exceed no limit, leave nothing', async () => {
    const generous = { ...fullPolicy, concurrency: { max: 20, queue: 100, queueTimeoutMs: 1_000 } };
    const strict = {
      concurrency: { max: 5, queue: 100, queueTimeoutMs: 1_000, fifo: true },
      rate: { perSecond: 1_000_000, burst: 1_000_000 },
    };
    const { target } = realTarget(generous);
    let [running, allowed, began, ended, swaps] = [0, 20, 0, 0, 0];
    const faults: string[] = [];
    const run = async (): Promise<void> => {
      running += 1;
      if (running > allowed) faults.push(`${running} at once`);
      await turn();
      if (began % 3 === 0) await sleep(1);
      running -= 1;
      allowed = Math.max(target.gate.limit, Math.min(allowed, target.gate.inFlight - 1));
    };
    const isOver = (): boolean => swaps === 1_000;
    const caller = async (): Promise<void> => {
      while (!isOver()) {
        began += 1;
        await target.run(aCall(), { run, repeatable });
        ended += 1;
      }
    };
    const callers = Array.from({ length: 60 }, caller);
    for (; !isOver(); swaps += 1) {
      const next = swaps % 2 === 0 ? strict : generous;
      // What runs is not cut.
      allowed = Math.max(next.concurrency.max, target.gate.inFlight);
      target.configure(next);
      await turn();
      if (swaps % 10 === 0) await sleep(1);
    }
    await Promise.all(callers);
    expect(faults).toEqual([]);
    expect(ended).toBe(began);
    expect(began).toBeGreaterThan(1_000);
    expect([running, target.gate.inFlight, target.gate.waiting]).toEqual([0, 0, 0]);
  });
});

test('constant load leaves nothing on the heap', async () => {
  const { calls, grownBytes, inFlight } = await constantLoad(1_500);
  expect(calls).toBeGreaterThan(5_000);
  expect(grownBytes).toBeLessThan(5e6);
  expect(grownBytes / calls).toBeLessThan(100);
  expect(inFlight).toBe(0);
}, 20_000);
