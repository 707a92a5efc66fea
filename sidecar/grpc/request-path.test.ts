import { pino } from 'pino';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { Call, cancelled } from '../../platform/call.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { OpenScope } from './open-scope.ts';
import { requestMetrics } from './request-metrics.ts';
import { RequestPath } from './request-path.ts';

let clock: TestClock;
let registry: Registry;
let logged: Record<string, unknown>[];
let path: RequestPath;

beforeEach(() => {
  clock = new TestClock();
  registry = new Registry();
  logged = [];
  const write = (line: string): unknown => logged.push(JSON.parse(line) as Record<string, unknown>);
  path = new RequestPath({
    clock,
    deadlines: new Deadlines(clock),
    metrics: requestMetrics(registry),
    log: pino({ level: 'info' }, { write }),
  });
});

const query = { name: 'Database.Query', target: () => 'orders' };
const commit = { name: 'Database.Commit', target: () => '', exempt: true };
const begin = { name: 'Database.Begin', target: () => '', begins: true };

const aCall = (options: Partial<ConstructorParameters<typeof Call>[0]> = {}): Call =>
  new Call({ scope: new OpenScope(), deadlineAtMs: Infinity, ...options });

const perform = <T>(
  work: () => Promise<T>,
  call = aCall(),
  operation: object = query,
): Promise<T> => path.perform(operation as typeof query, {}, call, work);

/** Work that goes on until its call ends. */
const untilEnded = (call: Call) => (): Promise<never> =>
  new Promise((_resolve, reject) => {
    call.onEnd(reject);
  });

const counts = async (): Promise<unknown> => {
  const { values } = (await registry.getSingleMetric('holdfast_requests_total')?.get()) ?? {};
  return values?.map(({ labels, value }) => [
    labels['method'],
    labels['endpoint'],
    labels['status'],
    value,
  ]);
};

describe('a call', () => {
  test('has the answer of its work, and is counted and timed', async () => {
    const work = async (): Promise<string> => {
      await clock.sleep(250);
      return 'answer';
    };
    const answer = perform(work);
    await clock.advance(250);
    expect(await answer).toBe('answer');
    expect(await counts()).toEqual([['Database.Query', 'orders', 'OK', 1]]);
    expect(await registry.metrics()).toContain(
      'holdfast_response_time_seconds_sum{method="Database.Query",endpoint="orders"} 0.25',
    );
  });

  test('that fails on purpose fails with that error, is counted by its status, and is not logged', async () => {
    const error = new HoldfastError('exhausted', 'POOL_EXHAUSTED', 'full');
    await expect(perform(() => Promise.reject(error))).rejects.toBe(error);
    expect(await counts()).toEqual([['Database.Query', 'orders', 'RESOURCE_EXHAUSTED', 1]]);
    expect(logged).toEqual([]);
  });

  test('that fails for a reason nobody foresaw tells its caller nothing, and the log everything', async () => {
    const call = aCall({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
    const failing = perform(() => Promise.reject(new TypeError('x of undefined')), call);
    await expect(failing).rejects.toMatchObject({ kind: 'internal', message: 'internal error' });
    expect(await counts()).toEqual([['Database.Query', 'orders', 'INTERNAL', 1]]);
    expect(logged).toMatchObject([
      {
        level: 50,
        method: 'Database.Query',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        err: { message: 'x of undefined' },
      },
    ]);
  });

  test('without a trace is logged without one', async () => {
    const error = new HoldfastError('internal', 'INTERNAL', 'a bug that was foreseen');
    await expect(perform(() => Promise.reject(error))).rejects.toBe(error);
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toHaveProperty('traceId');
  });

  test('whose work throws at once fails like any other', async () => {
    const failing = perform(() => {
      throw new HoldfastError('invalid', 'INVALID_REQUEST', 'no');
    });
    await expect(failing).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('the deadline of a call', () => {
  test('ends it when it passes', async () => {
    const call = aCall({ deadlineAtMs: 100 });
    const failed = perform(untilEnded(call), call).catch((error: unknown) => error);
    await clock.advance(99);
    expect(call.ended).toBeUndefined();
    await clock.advance(11);
    expect(await failed).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    expect(await counts()).toEqual([['Database.Query', 'orders', 'DEADLINE_EXCEEDED', 1]]);
  });

  test('that has passed keeps its work from being begun', async () => {
    await clock.advance(100);
    let begun = false;
    const work = async (): Promise<void> => {
      begun = true;
    };
    for (const deadlineAtMs of [99, 100]) {
      await expect(perform(work, aCall({ deadlineAtMs }))).rejects.toMatchObject({
        kind: 'deadline',
      });
    }
    expect(begun).toBe(false);
  });

  test('is no longer watched when the call has ended', async () => {
    const call = aCall({ deadlineAtMs: 100 });
    await perform(() => Promise.resolve(), call);
    await clock.advance(1_000);
    expect(call.ended).toBeUndefined();
  });
});

test('a call that was cancelled before it began does nothing', async () => {
  const call = aCall();
  call.end(cancelled());
  let begun = false;
  const work = async (): Promise<void> => {
    begun = true;
  };
  await expect(perform(work, call)).rejects.toMatchObject({ kind: 'cancelled' });
  expect(begun).toBe(false);
});

describe('while it drains', () => {
  test('new calls are refused, with a hint when to try elsewhere', async () => {
    await path.drain();
    expect(path.draining).toBe(true);
    await expect(perform(() => Promise.resolve())).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'DRAINING',
      retryAfterMs: 1_000,
    });
    expect(await counts()).toEqual([['Database.Query', 'orders', 'UNAVAILABLE', 1]]);
  });

  test('calls that free something, and those of a transaction that is open, run', async () => {
    await path.drain();
    const work = (): Promise<string> => Promise.resolve('ran');
    expect(await perform(work, aCall(), commit)).toBe('ran');
    expect(await perform(work, aCall({ transactionId: 3 }))).toBe('ran');
  });

  test('a new transaction is refused, though its frame names it', async () => {
    await path.drain();
    const work = (): Promise<string> => Promise.resolve('ran');
    await expect(perform(work, aCall({ transactionId: 3 }), begin)).rejects.toMatchObject({
      reason: 'DRAINING',
    });
  });

  test('it is over when the last call that was under way has ended', async () => {
    expect(path.draining).toBe(false);
    const calls = [aCall(), aCall()];
    const running = calls.map((call) => perform(untilEnded(call), call));
    const settled = Promise.allSettled(running);
    let over = 0;
    void path.drain().then(() => {
      over += 1;
    });
    void path.drain().then(() => {
      over += 1;
    });
    calls[0]?.end(cancelled());
    await clock.advance(0);
    expect(over).toBe(0);
    calls[1]?.end(cancelled());
    await clock.advance(0);
    expect(over).toBe(2);
    await settled;
  });
});
