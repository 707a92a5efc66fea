import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minorCollector } from './process-memory.ts';
import { TurnoverMap } from './turnover-map.ts';

const keys = fc.oneof(fc.nat(400), fc.nat(400).map(String), fc.string({ maxLength: 3 }));
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('set' as const), key: keys }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key: keys }) },
  ),
  { maxLength: 600 },
);

interface Step {
  readonly do: 'set' | 'delete';
  readonly key: string | number;
}

test('it is a map', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const [model, map] = [
        new Map<string | number, number>(),
        new TurnoverMap<string | number, number>(),
      ];
      const taken = (
        of: {
          set(key: string | number, at: number): unknown;
          delete(key: string | number): boolean;
        },
        { do: what, key }: Step,
        at: number,
      ) => (what === 'set' ? void of.set(key, at) : of.delete(key));
      steps.forEach((step, at) => {
        expect(taken(map, step, at)).toBe(taken(model, step, at));
        expect([map.size, map.get(step.key), map.has(step.key)]).toEqual([
          model.size,
          model.get(step.key),
          model.has(step.key),
        ]);
      });
      for (const [key, value] of model) expect(map.get(key)).toBe(value);
      expect(new Set(map.values())).toEqual(new Set(model.values()));
      expect(map.values()).toHaveLength(model.size);
    }),
    { numRuns: 200 },
  );
});

test('what is deleted while its values are looked at is in the list all the same', () => {
  const map = new TurnoverMap<number, number>();
  for (let key = 0; key < 5_000; key += 1) map.set(key, key);
  let seen = 0;
  for (const value of map.values()) {
    map.delete(value);
    seen += 1;
  }
  expect([seen, map.size]).toEqual([5_000, 0]);
});

test('what came and went is not kept by what was there before it', async () => {
  const collect = minorCollector();
  const map = new TurnoverMap<number, object>();
  const gone: WeakRef<object>[] = [];
  // Whatever the map has at first is in the old generation soon.
  const turn = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  };
  for (let each = 0; each < 4; each += 1) await turn();
  let key = 0;
  for (let each = 0; each < 4; each += 1) {
    for (let more = 0; more < 500; more += 1) {
      key += 1;
      const value = { key };
      map.set(key, value);
      gone.push(new WeakRef(value));
      map.delete(key - 50);
    }
    await turn();
  }
  await turn();
  await turn();
  const kept = gone.filter((value) => value.deref() !== undefined);
  // Those that are there, and the few that were in use when everything was collected.
  expect(kept.length).toBeLessThanOrEqual(50 * 5);
});
