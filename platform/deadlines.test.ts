import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { Deadlines } from './deadlines.ts';
import { garbageCollector } from './process-memory.ts';
import { TestClock } from './test-clock.ts';

const tickMs = 10;

/** Time that passes while the process is stopped: alarms ring late. */
class StoppableClock implements Clock {
  readonly test = new TestClock();
  #stoppedMs = 0;

  now(): number {
    return this.test.now() + this.#stoppedMs;
  }

  wallNow(): number {
    return this.now();
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.test.after(delayMs, callback);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.test.sleep(delayMs, signal);
  }

  stopFor(ms: number): void {
    this.#stoppedMs += ms;
  }
}

interface Watch {
  readonly fromMs: number;
  readonly atMs: number;
  readonly rungAtMs: number[];
  stop: () => void;
  stopped: boolean;
}

const ms = fc.oneof(fc.nat(40), fc.nat(6_000), fc.double({ min: 0, max: 200, noNaN: true }));
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('watch' as const), ms }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('stop' as const), ms: fc.nat(50) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), ms }) },
  ),
  { maxLength: 40 },
);

test('each one rings once, never early, at most a tick late; those that were stopped never ring', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 0, max: 25, noNaN: true }), steps, async (startMs, steps) => {
      const clock = new StoppableClock();
      await clock.test.advance(startMs);
      const deadlines = new Deadlines(clock, tickMs);
      const watches: Watch[] = [];
      let pausedMs = 0;
      for (const step of steps) {
        if (step.do === 'advance') await clock.test.advance(step.ms);
        if (step.do === 'pause') {
          clock.stopFor(step.ms);
          pausedMs += step.ms;
        }
        if (step.do === 'stop') {
          const watch = watches[step.ms % watches.length];
          watch?.stop();
          if (watch?.rungAtMs.length === 0) watch.stopped = true;
        }
        if (step.do === 'watch') {
          const fromMs = clock.now();
          const rungAtMs: number[] = [];
          const stop = deadlines.watch(fromMs + step.ms, () => rungAtMs.push(clock.now()));
          watches.push({ fromMs, atMs: fromMs + step.ms, rungAtMs, stop, stopped: false });
        }
      }
      await clock.test.advance(6_000 + tickMs);
      expect(
        watches.filter(({ rungAtMs, stopped }) => rungAtMs.length !== (stopped ? 0 : 1)),
      ).toEqual([]);
      const faulty = watches.filter(({ atMs, rungAtMs: [at] }) => {
        // A pause moves the hands of the clock, and no alarm can ring during it.
        return at !== undefined && (at < atMs || at > atMs + tickMs + pausedMs + 1e-6);
      });
      expect(faulty).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('after a long pause everything that is due rings at the next tick, the rest when it is due', async () => {
  const clock = new StoppableClock();
  const deadlines = new Deadlines(clock, tickMs);
  const rung: number[] = [];
  // 512 ticks are one turn of the wheel: each of its slots has several of these.
  const all = Array.from({ length: 2_100 }, (_, at) => (at + 1) * tickMs);
  for (const atMs of all) deadlines.watch(atMs, () => rung.push(atMs));
  clock.stopFor(20_000);
  await clock.test.advance(tickMs);
  expect(rung.toSorted((a, b) => a - b)).toEqual(all.slice(0, 2_001));
  await clock.test.advance(100);
  expect(rung.slice(2_001)).toEqual(all.slice(2_001, 2_011));
});

test('one that is stopped by another of the same tick does not ring', async () => {
  const clock = new TestClock();
  const deadlines = new Deadlines(clock, tickMs);
  const rung: number[] = [];
  const stops: (() => void)[] = [];
  for (let each = 0; each < 4; each += 1) {
    const stop = deadlines.watch(100, () => {
      rung.push(each);
      for (const stop of stops) stop();
    });
    stops.push(stop);
  }
  await clock.advance(1_000);
  expect(rung).toHaveLength(1);
});

test('one that stops another of the same tick does not hold up the rest', async () => {
  const clock = new TestClock();
  const deadlines = new Deadlines(clock, tickMs);
  const rung: number[] = [];
  const stops: (() => void)[] = [];
  // The newest rings first, and stops the one that would ring next.
  for (let each = 0; each < 6; each += 1) {
    const stop = deadlines.watch(100, () => {
      rung.push(each);
      stops[each - 1]?.();
    });
    stops.push(stop);
  }
  await clock.advance(110);
  expect(rung).toEqual([5, 3, 1]);
});

test('one that is set while another rings rings in its own time', async () => {
  const clock = new TestClock();
  const deadlines = new Deadlines(clock, tickMs);
  const rung: number[] = [];
  deadlines.watch(100, () => {
    deadlines.watch(100, () => rung.push(clock.now()));
    deadlines.watch(100 + 512 * tickMs, () => rung.push(clock.now()));
  });
  await clock.advance(200);
  expect(rung).toEqual([110]);
  await clock.advance(512 * tickMs);
  expect(rung).toEqual([110, 100 + 512 * tickMs]);
});

test('a deadline that has passed already rings at the next tick', async () => {
  const clock = new TestClock();
  await clock.advance(1_003);
  const deadlines = new Deadlines(clock, tickMs);
  let rungAtMs = 0;
  deadlines.watch(500, () => {
    rungAtMs = clock.now();
  });
  expect(rungAtMs).toBe(0);
  await clock.advance(tickMs);
  expect(rungAtMs).toBe(1_010);
});

test('with nothing to watch no timer runs, and stopping twice does no harm', async () => {
  const clock = new TestClock();
  const deadlines = new Deadlines(clock, tickMs);
  const stop = deadlines.watch(100, () => {});
  stop();
  stop();
  await clock.advance(1_000);
  let timers = 0;
  const counting: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, ring) => {
      timers += 1;
      return clock.after(ms, ring);
    },
  };
  const counted = new Deadlines(counting, tickMs);
  counted.watch(clock.now() + 25, () => {});
  await clock.advance(1_000);
  expect(timers).toBe(3);
});

test('what is over keeps nothing of its neighbours in memory', async () => {
  const deadlines = new Deadlines(new TestClock());
  const watched = (): readonly [() => void, WeakRef<object>] => {
    const call = {};
    return [deadlines.watch(1_000, () => void call), new WeakRef(call)];
  };
  const all = Array.from({ length: 3 }, watched);
  for (const [unwatch] of all) unwatch();
  // Whoever is in the middle is still held.
  const [first, middle, last] = all.map(([, call]) => call);
  const held = all[1]?.[0];
  all.length = 0;
  await new Promise((resolve) => setImmediate(resolve));
  garbageCollector()();
  expect([first, middle, last].map((call) => call?.deref())).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  held?.();
});
