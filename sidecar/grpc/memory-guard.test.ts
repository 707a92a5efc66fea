import { beforeEach, describe, expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { MemoryGuard } from './memory-guard.ts';

const mebibyte = 1024 * 1024;

let clock: TestClock;
/** Taken beyond what was taken at start; garbage goes when it is collected. */
let taken: { heap: number; buffers: number; garbage: number };
let collected: number;
let guard: MemoryGuard;

/** Of 300 MiB 240 may be used; 140 are taken at start, so that 100 are for work. The heap has 100. */
beforeEach(() => {
  clock = new TestClock();
  taken = { heap: 0, buffers: 0, garbage: 0 };
  collected = 0;
  guard = new MemoryGuard({
    clock,
    limitBytes: 300 * mebibyte,
    collectGarbage: () => {
      collected += 1;
      taken.garbage = 0;
    },
    read: () => ({
      heapBytes: taken.heap * mebibyte,
      heapLimitBytes: 100 * mebibyte,
      bufferBytes: (10 + taken.buffers + taken.garbage) * mebibyte,
      totalBytes: (140 + taken.heap + taken.buffers + taken.garbage) * mebibyte,
    }),
  });
});

const refused = async (): Promise<string[]> => {
  await clock.advance(250);
  return (['low', 'normal', 'high'] as const).filter(
    (priority) => guard.refusal(priority, clock.now()) !== undefined,
  );
};

describe('calls are refused', () => {
  test.each([
    [49, []],
    [51, ['low']],
    [61, ['low', 'normal']],
    [71, ['low', 'normal', 'high']],
  ])('with %i of 100 MiB taken: %j', async (buffers, expected) => {
    taken.buffers = buffers;
    expect(await refused()).toEqual(expected);
    taken.buffers = 0;
    expect(await refused()).toEqual([]);
  });

  test.each([
    [74, []],
    [76, ['low']],
    [86, ['low', 'normal']],
    [91, ['low', 'normal', 'high']],
  ])('with %i of 100 MiB of the heap: %j', async (heap, expected) => {
    guard = new MemoryGuard({
      clock,
      limitBytes: Infinity,
      collectGarbage: () => {},
      read: () => ({
        heapBytes: heap * mebibyte,
        heapLimitBytes: 100 * mebibyte,
        bufferBytes: 0,
        totalBytes: 0,
      }),
    });
    expect(await refused()).toEqual(expected);
  });

  test('with a reason, and when to try again', async () => {
    taken.buffers = 90;
    await clock.advance(250);
    expect(guard.refusal('high', clock.now())).toMatchObject({
      kind: 'exhausted',
      reason: 'MEMORY_PRESSURE',
      retryAfterMs: 200,
    });
  });

  test('not for garbage, which is collected first, and not without end', async () => {
    taken.garbage = 90;
    expect(await refused()).toEqual([]);
    expect(collected).toBe(1);
    taken.buffers = 90;
    for (let ms = 0; ms < 1_000; ms += 1) {
      guard.refusal('low', clock.now());
      await clock.advance(1);
    }
    expect(collected).toBeLessThan(7);
  });
});

describe('work', () => {
  test('begins at once while there is room', () => {
    expect(guard.room()).toBeUndefined();
  });

  test('waits while much is taken, and then begins step by step', async () => {
    taken.buffers = 45;
    await clock.advance(250);
    let begun = 0;
    for (let index = 0; index < 10; index += 1) {
      // As the pool does: it asks again when it has a connection.
      void guard.room()?.then(() => {
        if (guard.room() === undefined) begun += 1;
      });
    }
    await clock.advance(500);
    expect(begun).toBe(0);
    taken.buffers = 0;
    const steps: number[] = [];
    for (let step = 0; step < 5; step += 1) {
      await clock.advance(20);
      steps.push(begun);
    }
    expect(steps).toEqual([1, 3, 7, 10, 10]);
    await clock.advance(2_000);
    expect(guard.room()).toBeUndefined();
  });

  test('that waited for two seconds is refused', async () => {
    taken.buffers = 45;
    await clock.advance(250);
    const waiting = Promise.allSettled([guard.room()]);
    await clock.advance(2_020);
    expect(await waiting).toMatchObject([{ reason: { reason: 'MEMORY_PRESSURE' } }]);
  });

  test('that gathers a result gives up when there is nothing left', () => {
    taken.buffers = 69;
    expect(guard.isFull()).toBe(false);
    taken.buffers = 71;
    expect(guard.isFull()).toBe(true);
  });
});
