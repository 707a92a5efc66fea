import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { Cancellation } from './cancellation.ts';

/** Requests that arrive when the test says so. */
function aCancellation() {
  const clock = new TestClock();
  const arrivals: (() => void)[] = [];
  const ignored: true[] = [];
  const cancellation = new Cancellation({
    clock,
    request: () => new Promise<void>((resolve) => arrivals.push(resolve)),
    onIgnored: () => ignored.push(true),
  });
  const isQuiet = async (): Promise<boolean> => {
    let quiet = false;
    void cancellation.quiet().then(() => {
      quiet = true;
    });
    await new Promise(setImmediate);
    return quiet;
  };
  return { clock, arrivals, ignored, cancellation, isQuiet };
}

test('what ends by itself in a moment is left to do so', async () => {
  const { clock, arrivals, cancellation, isQuiet } = aCancellation();
  cancellation.start();
  await clock.advance(19);
  cancellation.done();
  await clock.advance(10_000);
  expect(arrivals).toHaveLength(0);
  expect(await isQuiet()).toBe(true);
});

test('nothing is quiet until the last of several requests has arrived, in whatever order they do', async () => {
  const { clock, arrivals, cancellation, isQuiet } = aCancellation();
  for (let target = 0; target < 2; target += 1) {
    cancellation.start();
    await clock.advance(20);
    cancellation.done();
  }
  expect(arrivals).toHaveLength(2);
  arrivals[1]?.();
  expect(await isQuiet()).toBe(false);
  arrivals[0]?.();
  expect(await isQuiet()).toBe(true);
});

test('a server that does not stop in time is told of', async () => {
  const { clock, ignored, cancellation } = aCancellation();
  cancellation.start();
  await clock.advance(20);
  await clock.advance(899);
  expect(ignored).toHaveLength(0);
  await clock.advance(1);
  expect(ignored).toHaveLength(1);
});
