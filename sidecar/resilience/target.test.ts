import { describe, expect, test } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { aCall, aTarget, breaker, failed, retry } from './target.test-kit.ts';

describe('retries', () => {
  test('come after growing pauses, until one succeeds', async () => {
    const { clock, run, tries, told } = aTarget({ retry });
    const { answers } = run([failed('unavailable'), failed('unavailable')]);
    await clock.advance(1_000);
    expect(answers).toEqual(['done']);
    expect(tries).toEqual([0, 50, 150]);
    expect(told.retries).toBe(2);
  });

  test('end with the last failure, at the number of attempts', async () => {
    const { clock, run, tries } = aTarget({ retry });
    const errors = [failed('unavailable'), failed('unavailable'), failed('deadline')];
    const { answers } = run(errors);
    await clock.advance(1_000);
    expect([answers[0], tries.length]).toEqual([errors[2], 3]);
  });

  test.each([
    ['not for what may not run twice', failed('unavailable'), { repeatable: false }],
    ['not for what the request is to blame for', failed('invalid'), {}],
  ])('%s', async (_what, error, more) => {
    const { clock, run, tries } = aTarget({ retry });
    const { answers } = run([error], more);
    await clock.advance(1_000);
    expect([answers[0], tries.length]).toEqual([error, 1]);
  });

  test('wait as long as the answer asks for, and not at all when that is past the deadline', async () => {
    const { clock, run, tries } = aTarget({ retry, timeout: { totalMs: 1_000, perTryMs: 0 } });
    const { answers } = run([failed('exhausted', 700), failed('exhausted', 700)]);
    await clock.advance(700);
    expect(tries).toEqual([0, 700]);
    await clock.advance(10);
    expect(answers).toMatchObject([{ kind: 'exhausted' }]);
  });

  test('stay within their budget', async () => {
    const { clock, run, tries } = aTarget({
      retry: { ...retry, budget: { ratio: 0, minPerSecond: 0.2 } },
    });
    for (let call = 0; call < 5; call += 1) {
      run(Array.from({ length: 3 }, () => failed('unavailable')));
    }
    await clock.advance(10);
    await clock.advance(300);
    expect(tries.length).toBe(5 + 2);
  });

  test('end when the caller gives up', async () => {
    const { clock, run, tries } = aTarget({ retry });
    const { answers, call } = run([failed('unavailable')]);
    await clock.advance(10);
    call.end(cancelled());
    await clock.advance(1_000);
    expect([answers, tries.length]).toMatchObject([[{ kind: 'cancelled' }], 1]);
  });
});

describe('timeouts', () => {
  test('of one try let the next one go, the total ends all', async () => {
    const { clock, run, tries } = aTarget({ retry, timeout: { perTryMs: 100, totalMs: 400 } });
    const { answers } = run([], { takesMs: 10_000 });
    await clock.advance(450);
    expect(tries).toHaveLength(3);
    expect(answers).toMatchObject([{ kind: 'deadline' }]);
  });

  test('that are longer than the caller’s own change nothing', async () => {
    const { clock, run } = aTarget({ timeout: { totalMs: 60_000, perTryMs: 0 } });
    const call = aCall({ deadlineAtMs: 50 });
    const { answers } = run([], { call, takesMs: 20 });
    await clock.advance(30);
    expect(answers).toEqual(['done']);
  });
});

describe('the gate', () => {
  test('stands before each try, and its refusal is not tried again', async () => {
    const { clock, run, tries } = aTarget({ retry, breaker });
    const errors = Array.from({ length: 3 }, () => failed('unavailable'));
    const { answers } = run(errors);
    await clock.advance(100);
    await clock.advance(200);
    expect(tries).toHaveLength(2);
    expect(answers).toEqual([errors[1]]);
    const next = run([]);
    await clock.advance(0);
    expect(next.answers).toMatchObject([{ reason: 'BREAKER_OPEN' }]);
  });

  test('holds nothing during a pause, and gets everything back in the end', async () => {
    const { clock, run, target } = aTarget({
      retry,
      concurrency: { max: 1, queue: 5, queueTimeoutMs: 1_000 },
    });
    const first = run([failed('unavailable')]);
    await clock.advance(1);
    expect(target.gate.inFlight).toBe(0);
    const second = run([]);
    await clock.advance(1);
    expect([first.answers, second.answers]).toEqual([[], ['done']]);
    await clock.advance(200);
    expect([first.answers, target.gate.inFlight]).toEqual([['done'], 0]);
  });

  test('is not moved by requests that were wrong, nor by callers that gave up, nor by throttling', async () => {
    const { clock, run, target } = aTarget({ breaker });
    for (const kind of ['invalid', 'conflict', 'cancelled', 'exhausted'] as const) {
      for (let call = 0; call < 5; call += 1) run([failed(kind)]);
    }
    await clock.advance(1);
    expect(target.gate.breakerState).toBe('closed');
  });
});

test('a call ends under the policy that it began with, the next one under the new', async () => {
  const { clock, run, target, tries } = aTarget({ retry });
  const { answers } = run([failed('unavailable'), failed('unavailable')]);
  await clock.advance(1);
  target.configure({});
  await clock.advance(1_000);
  expect([answers, tries.length]).toEqual([['done'], 3]);
  const next = run([failed('unavailable')]);
  await clock.advance(1_000);
  expect([next.answers.length, tries.length]).toEqual([1, 4]);
});
