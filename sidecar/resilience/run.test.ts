import { describe, expect, test } from 'vitest';
import { cancelled, deadlineExceeded } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { aCall, aTarget, breaker, failed, retry } from './target.test-kit.ts';

describe('an outcome that is not known', () => {
  const unknown = failed('unknown-outcome');

  test('is what the caller learns, whatever the tries after it failed with', async () => {
    const { clock, run, tries } = aTarget({ retry });
    const { answers } = run([unknown, failed('unavailable'), failed('deadline')]);
    await clock.advance(1_000);
    expect([answers[0], tries.length]).toEqual([unknown, 3]);
  });

  test('also when the next try is refused', async () => {
    const { clock, run, told, tries } = aTarget({ retry, breaker });
    const { answers } = run([unknown, failed('unavailable')]);
    await clock.advance(200);
    expect([answers[0], tries.length, told.refused]).toEqual([unknown, 2, ['BREAKER_OPEN']]);
  });

  test.each([cancelled(), deadlineExceeded()])('also when the call ends (%s)', async (end) => {
    const { clock, run } = aTarget({ retry });
    const { answers, call } = run([unknown]);
    await clock.advance(10);
    call.end(end);
    await clock.advance(0);
    expect(answers).toEqual([unknown]);
  });

  test('is known in the end when a later try succeeds', async () => {
    const { clock, run } = aTarget({ retry });
    const { answers } = run([unknown, failed('unavailable')]);
    await clock.advance(1_000);
    expect(answers).toEqual(['done']);
  });
});

describe('a later try that is refused', () => {
  test('ends the call with what the last one failed with, and is counted', async () => {
    const { clock, run, told } = aTarget({ retry, rate: { perSecond: 0.001, burst: 1 } });
    const failure = failed('unavailable');
    const { answers } = run([failure]);
    await clock.advance(1_000);
    expect([answers, told.refused]).toEqual([[failure], ['RATE_LIMITED']]);
  });
});

describe('a call that ends during a pause', () => {
  test('is not tried again, and leaves nothing behind', async () => {
    const { clock, run, tries, target, told } = aTarget({ retry });
    const { answers, call } = run([failed('unavailable')]);
    await clock.advance(49);
    call.end(cancelled());
    await clock.advance(0);
    expect(answers).toMatchObject([{ kind: 'cancelled' }]);
    expect(clock.alarms).toBe(0);
    await clock.advance(1_000);
    expect([tries.length, told.retries, target.gate.inFlight]).toEqual([1, 0, 0]);
  });
});

describe('a call that ends while it waits for its turn', () => {
  test('is no refusal of the policy', async () => {
    const { clock, run, told } = aTarget({
      concurrency: { max: 1, queue: 5, queueTimeoutMs: 1_000 },
    });
    run([], { takesMs: 100 });
    const { answers, call } = run([]);
    call.end(cancelled());
    await clock.advance(0);
    expect([answers, told.refused]).toMatchObject([[{ kind: 'cancelled' }], []]);
  });
});

describe('the time of a policy', () => {
  test.each([
    ['timeout.perTryMs', { perTryMs: 50, totalMs: 400 }, 60],
    ['timeout.totalMs', { perTryMs: 0, totalMs: 50 }, 60],
    ['timeout.totalMs', { perTryMs: 50, totalMs: 50 }, 60],
  ])('is named by the error when it is up: %s', async (setting, timeout, passMs) => {
    const { clock, run } = aTarget({ timeout });
    const { answers } = run([], { takesMs: 10_000 });
    await clock.advance(passMs);
    expect(answers).toMatchObject([
      { kind: 'deadline', reason: 'TARGET_TIMEOUT', target: 'orders' },
    ]);
    expect((answers[0] as HoldfastError).message).toContain(setting);
    await clock.advance(10_000);
    expect(clock.alarms).toBe(0);
  });

  test('is forgotten when the call has ended', async () => {
    const { clock, run } = aTarget({ timeout: { perTryMs: 5_000, totalMs: 30_000 } });
    const { answers } = run([]);
    await clock.advance(20);
    expect([answers, clock.alarms]).toEqual([['done'], 0]);
  });

  test('is not blamed for the caller’s own deadline', async () => {
    const { clock, run } = aTarget({ timeout: { perTryMs: 50, totalMs: 400 } });
    const call = aCall({ deadlineAtMs: 20 });
    const { answers } = run([], { call, takesMs: 10_000 });
    await clock.advance(20);
    call.end(deadlineExceeded());
    await clock.advance(0);
    expect(answers).toMatchObject([{ reason: 'DEADLINE_EXCEEDED' }]);
  });

  test('leaves a call that ends sooner to reach its work, in the first try and in a later one', async () => {
    const { clock, target } = aTarget({ retry, timeout: { perTryMs: 5_000, totalMs: 30_000 } });
    for (const cancelledIn of [1, 2]) {
      const call = aCall();
      const seen: unknown[] = [];
      let tries = 0;
      const running = target.run(call, {
        run: (tried) => {
          tries += 1;
          if (tries < cancelledIn) return Promise.reject(failed('unavailable'));
          return new Promise<never>((_, reject) =>
            tried.onEnd((reason) => {
              seen.push(reason);
              reject(reason);
            }),
          );
        },
        repeatable: () => true,
      });
      running.catch(() => {});
      await clock.advance(1_000);
      const reason = cancelled();
      call.end(reason);
      await clock.advance(0);
      expect([tries, seen, target.gate.inFlight]).toEqual([cancelledIn, [reason], 0]);
    }
    await clock.advance(20);
    expect(clock.alarms).toBe(0);
  });

  test('goes on while a call waits for its turn, but not that of a try', async () => {
    const { clock, run, tries } = aTarget({
      concurrency: { max: 1, queue: 5, queueTimeoutMs: 60_000 },
      timeout: { perTryMs: 100, totalMs: 300 },
    });
    run([], { takesMs: 90 });
    const second = run([], { takesMs: 90 });
    const third = run([], { takesMs: 200 });
    const fourth = run([], { takesMs: 90 });
    await clock.advance(400);
    expect(tries).toEqual([0, 90, 180, 280]);
    expect(second.answers).toEqual(['done']);
    expect((third.answers[0] as HoldfastError).message).toContain('timeout.perTryMs');
    expect((fourth.answers[0] as HoldfastError).message).toContain('timeout.totalMs');
  });
});

test('work that throws before it returns a promise has failed like other work', async () => {
  const { target, told } = aTarget({ retry, breaker });
  let tried = 0;
  const failing = target.run(aCall(), {
    run: () => {
      tried += 1;
      throw failed('invalid');
    },
    repeatable: () => true,
  });
  await expect(failing).rejects.toMatchObject({ kind: 'invalid' });
  expect([tried, target.gate.inFlight, told.refused]).toEqual([1, 0, []]);
});
