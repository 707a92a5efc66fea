import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Priority } from './call.ts';
import { WaitQueue } from './wait-queue.ts';

const priorities = ['high', 'normal', 'low'] as const;

test('the most urgent come first, and among them the first that came', () => {
  const queue = new WaitQueue<string>();
  queue.push('b', 'normal');
  queue.push('d', 'low');
  queue.push('a', 'high');
  queue.push('c', 'normal');
  expect(queue.peek()).toBe('a');
  expect(queue.length).toBe(4);
  expect(queue.drain()).toEqual(['a', 'b', 'c', 'd']);
  expect([queue.length, queue.peek(), queue.shift()]).toEqual([0, undefined, undefined]);
});

type Step =
  | readonly ['push', Priority]
  | readonly ['shift']
  | readonly ['leave', number]
  | readonly ['drain'];
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('push' as const), fc.constantFrom(...priorities)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('shift' as const)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('leave' as const), fc.nat(100)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('drain' as const)) },
);

test('it behaves like a sorted list, whoever comes, is served or leaves from the middle', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const queue = new WaitQueue<number>();
      const leaves: (() => void)[] = [];
      let model: { rank: number; number: number }[] = [];
      const sorted = (): number[] =>
        model
          .toSorted((a, b) => a.rank - b.rank || a.number - b.number)
          .map(({ number }) => number);
      const served: unknown[] = [];
      const expected: unknown[] = [];
      for (const [what, choice] of steps) {
        if (what === 'push') {
          const number = leaves.length;
          leaves.push(queue.push(number, choice));
          model.push({ rank: priorities.indexOf(choice), number });
        } else if (what === 'shift') {
          const [first] = sorted();
          served.push(queue.shift());
          expected.push(first);
          model = model.filter(({ number }) => number !== first);
        } else if (what === 'leave' && leaves.length > 0) {
          const number = choice % leaves.length;
          leaves[number]?.(); // perhaps for the second time, or after it was served
          model = model.filter((each) => each.number !== number);
        } else if (what === 'drain') {
          served.push(queue.drain());
          expected.push(sorted());
          model = [];
        }
        const firsts = priorities.map((_, rank) =>
          Math.min(...model.filter((each) => each.rank === rank).map(({ number }) => number)),
        );
        served.push(queue.length, queue.peek());
        expected.push(model.length, sorted()[0]);
        served.push(...priorities.map((priority) => queue.firstOf(priority) ?? Infinity));
        expected.push(...firsts);
      }
      expect([...served, queue.drain()]).toEqual([...expected, sorted()]);
    }),
    { numRuns: 300 },
  );
});

test('the least urgent that came last is shed, and only for somebody more urgent', () => {
  const queue = new WaitQueue<string>();
  queue.push('n1', 'normal');
  queue.push('l1', 'low');
  queue.push('l2', 'low');
  queue.push('h1', 'high');
  expect(queue.shed('low')).toBeUndefined();
  expect(queue.shed('normal')).toBe('l2');
  expect(queue.shed('high')).toBe('l1');
  expect(queue.shed('normal')).toBeUndefined();
  expect(queue.shed('high')).toBe('n1');
  expect(queue.shed('high')).toBeUndefined();
  expect(queue.drain()).toEqual(['h1']);
});
