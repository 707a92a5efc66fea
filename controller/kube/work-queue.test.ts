import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { type WorkQueueParts, workQueue } from './work-queue.ts';

function setUp(parts: Partial<WorkQueueParts> = {}) {
  const clock = new TestClock();
  const faults: number[] = [];
  const queue = workQueue({
    work: () => Promise.resolve(),
    concurrency: 2,
    clock,
    random: () => 1,
    onFault: (_key, _fault, retryMs) => faults.push(retryMs),
    ...parts,
  });
  return { clock, queue, faults };
}

test('a key that was added several times while it waited runs once', async () => {
  const runs: string[] = [];
  const { clock, queue } = setUp({
    concurrency: 1,
    work: async (key) => {
      runs.push(key);
      await clock.sleep(10);
    },
  });
  queue.add('busy');
  for (let i = 0; i < 5; i += 1) queue.add('a');
  await clock.advance(100);
  expect(runs).toEqual(['busy', 'a']);
});

test('a key that is added while it runs is run once more, afterwards', async () => {
  let now = 0;
  let most = 0;
  let runs = 0;
  const { clock, queue } = setUp({
    work: async () => {
      runs += 1;
      now += 1;
      most = Math.max(most, now);
      await clock.sleep(10);
      now -= 1;
    },
  });
  queue.add('a');
  await clock.advance(5);
  queue.add('a');
  queue.add('a');
  await clock.advance(100);
  expect({ runs, most }).toEqual({ runs: 2, most: 1 });
});

test('a key that fails is tried again after pauses that double up to a cap, and begin anew after a success', async () => {
  let good = false;
  const { clock, queue, faults } = setUp({
    firstBackoffMs: 100,
    mostBackoffMs: 500,
    work: () => (good ? Promise.resolve() : Promise.reject(new Error('no'))),
  });
  queue.add('a');
  await clock.advance(1_300);
  expect(faults).toEqual([100, 200, 400, 500, 500]);
  good = true;
  await clock.advance(500);
  good = false;
  queue.add('a');
  await clock.advance(0);
  expect(faults.at(-1)).toBe(100);
  await queue.stop();
});

test('a delayed key waits, and the earlier of two delays counts', async () => {
  const ranAt: number[] = [];
  const { clock, queue } = setUp({
    work: () => {
      ranAt.push(clock.now());
      return Promise.resolve();
    },
  });
  queue.addAfter('a', 100);
  queue.addAfter('a', 50);
  queue.addAfter('a', 70);
  await clock.advance(200);
  expect(ranAt).toEqual([50]);
});

test('stop waits for what runs, tells it, and nothing runs afterwards', async () => {
  let ended = 0;
  let told = false;
  const { clock, queue } = setUp({
    concurrency: 1,
    work: async (_key, signal) => {
      signal.addEventListener('abort', () => (told = true));
      await clock.sleep(100);
      ended += 1;
    },
  });
  queue.add('a');
  queue.add('b');
  queue.addAfter('c', 10);
  await clock.advance(1);
  let stopped = false;
  const stop = queue.stop().then(() => (stopped = true));
  await clock.advance(50);
  expect({ told, stopped }).toEqual({ told: true, stopped: false });
  await clock.advance(100);
  await stop;
  queue.add('d');
  await clock.advance(1_000);
  expect({ ended, alarms: clock.alarms, waiting: queue.waiting }).toEqual({
    ended: 1,
    alarms: 0,
    waiting: 0,
  });
});

const step = fc.oneof(
  fc.record({ add: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ add: fc.constantFrom('a', 'b', 'c', 'd'), afterMs: fc.nat(300) }),
  fc.record({ advanceMs: fc.nat(100) }),
);

test('whatever is added is run after it was added, one run of a key at a time, never more than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.record({ ms: fc.nat(80), fails: fc.boolean() }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, works, concurrency) => {
        const wanted = new Map<string, number>();
        const begun = new Map<string, number>();
        const now = new Set<string>();
        const violations: string[] = [];
        let count = 0;
        const { clock, queue } = setUp({
          concurrency,
          mostBackoffMs: 400,
          work: async (key) => {
            // What is thrown in here would only be tried again.
            if (now.has(key) || now.size >= concurrency) violations.push(key);
            now.add(key);
            begun.set(key, clock.now());
            const { ms, fails } = works[count % works.length] ?? { ms: 0, fails: false };
            count += 1;
            await clock.sleep(ms);
            now.delete(key);
            // After a while everything goes well.
            if (fails && count < 100) throw new Error('no');
          },
        });
        for (const each of steps) {
          if ('advanceMs' in each) await clock.advance(each.advanceMs);
          else if ('afterMs' in each) queue.addAfter(each.add, each.afterMs);
          else {
            // Equal times tell nothing of what came first.
            await clock.advance(1);
            wanted.set(each.add, clock.now());
            queue.add(each.add);
          }
        }
        await clock.advance(100_000);
        for (const [key, atMs] of wanted) expect(begun.get(key)).toBeGreaterThanOrEqual(atMs);
        expect(violations).toEqual([]);
        expect({ alarms: clock.alarms, waiting: queue.waiting, now: now.size }).toEqual({
          alarms: 0,
          waiting: 0,
          now: 0,
        });
      },
    ),
  );
});
