import { describe, expect, test } from 'vitest';
import { systemClock, type Clock } from './clock.ts';
import { TestClock } from './test-clock.ts';

// The real clock is asked for no more than a few milliseconds.
const testClock = new TestClock();
const clocks: readonly [name: string, clock: Clock, pass: (ms: number) => Promise<void>][] = [
  ['the real clock', systemClock, (ms) => new Promise((resolve) => setTimeout(resolve, ms + 2))],
  ['the clock of tests', testClock, (ms) => testClock.advance(ms)],
];

describe.each(clocks)('%s', (_name, clock, pass) => {
  test('goes forward', async () => {
    const [before, wallBefore] = [clock.now(), clock.wallNow()];
    await pass(2);
    expect(clock.now()).toBeGreaterThanOrEqual(before + 1.5);
    expect(clock.wallNow()).toBeGreaterThanOrEqual(wallBefore + 1);
  });

  test('calls back once, unless it was stopped', async () => {
    const rung: string[] = [];
    clock.after(1, () => rung.push('on'));
    const stop = clock.after(1, () => rung.push('stopped'));
    stop();
    stop();
    expect(rung).toEqual([]);
    await pass(3);
    await pass(3);
    expect(rung).toEqual(['on']);
  });

  test('wakes a sleeper after its time', async () => {
    const before = clock.now();
    const sleeping = clock.sleep(2).then(() => clock.now() - before);
    await pass(3);
    expect(await sleeping).toBeGreaterThanOrEqual(1.5);
  });

  test('lets a sleeper go at once when its signal aborts, with the reason of that', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const slept = clock.sleep(1, new AbortController().signal);
    await pass(2);
    await expect(slept).resolves.toBeUndefined();
  });
});

describe('the clock of tests', () => {
  test('rings alarms in the order of their times, each at its own', async () => {
    const clock = new TestClock();
    const rung: [string, number][] = [];
    clock.after(30, () => rung.push(['c', clock.now()]));
    clock.after(10, () => {
      rung.push(['a', clock.now()]);
      clock.after(5, () => rung.push(['b', clock.now()]));
      clock.after(500, () => rung.push(['not yet', clock.now()]));
    });
    clock.after(-5, () => rung.push(['at once', clock.now()]));
    await clock.advance(100);
    expect(rung).toEqual([
      ['at once', 0],
      ['a', 10],
      ['b', 15],
      ['c', 30],
    ]);
    expect([clock.now(), clock.wallNow()]).toEqual([100, 100]);
  });

  test('lets promises run between two alarms', async () => {
    const clock = new TestClock();
    const seen: number[] = [];
    const work = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn += 1) {
        await clock.sleep(10);
        seen.push(clock.now());
      }
    };
    const working = work();
    await clock.advance(30);
    await working;
    expect(seen).toEqual([10, 20, 30]);
  });
});
