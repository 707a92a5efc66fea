import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { Cancellation } from './cancellation.ts';
import { Exchange } from './exchange.ts';

/** A cancel request that was sent 1,020 ms after the beginning. */
async function sentRequest(): Promise<Cancellation> {
  const clock = new TestClock();
  const cancellation = new Cancellation({
    clock,
    request: () => Promise.resolve(),
    onIgnored: () => {},
  });
  await clock.advance(1_000);
  cancellation.start();
  await clock.advance(20);
  cancellation.done();
  return cancellation;
}

const ran = (startedAtMs: number, tookMs: number, cancelRequested = false): Exchange =>
  Object.assign(new Exchange([], 0), { startedAtMs, tookMs, cancelRequested });

test.each([
  ['that ended before it was sent was not', 900, 100, false],
  ['that ran while it was sent was, perhaps', 1_000, 30, true],
  ['that began soon after was, perhaps', 1_500, 10, true],
  ['that began when none can be on its way any more was not', 3_020, 10, false],
])('a neighbour %s hit by a cancel request', async (_what, startedAtMs, tookMs, mayBe) => {
  const cancellation = await sentRequest();
  expect(cancellation.mayHaveHit(ran(startedAtMs, tookMs))).toBe(mayBe);
});

test('what was to be cancelled itself is nobody’s neighbour', async () => {
  const cancellation = await sentRequest();
  expect(cancellation.mayHaveHit(ran(1_000, 30, true))).toBe(false);
});

test('where no request was ever sent, nothing was hit', () => {
  const cancellation = new Cancellation({
    clock: new TestClock(),
    request: () => Promise.resolve(),
    onIgnored: () => {},
  });
  expect(cancellation.mayHaveHit(ran(0, 10))).toBe(false);
});

test('a statement that is cancelled twice is asked to stop once', async () => {
  const clock = new TestClock();
  let requests = 0;
  const request = (): Promise<void> => {
    requests += 1;
    return Promise.reject(new Error('the server is away'));
  };
  const cancellation = new Cancellation({ clock, request, onIgnored: () => {} });
  cancellation.start();
  await clock.advance(10);
  cancellation.start();
  await clock.advance(100);
  expect(requests).toBe(1);
  await expect(cancellation.quiet()).resolves.toBeUndefined();
});
