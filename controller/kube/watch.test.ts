import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import { KubeError } from './kube-error.ts';
import { type Cache, watchCache } from './watch.ts';
import { Store, type Thing } from './watched-store.test-kit.ts';

function setUp(store = new Store()) {
  const clock = new TestClock();
  const faults: string[] = [];
  const cache = watchCache({
    source: store,
    clock,
    random: () => 0.5,
    onFault: ({ message }) => faults.push(message),
    times: { relistMs: 600_000, silenceMs: 90_000 },
  });
  const told: string[] = [];
  cache.onChange((key, object) => told.push(`${key}=${object?.value ?? 'gone'}`));
  return { store, clock, cache, faults, told };
}

const values = (cache: Cache<Thing>): Record<string, number> =>
  Object.fromEntries(cache.list().map(({ metadata, value }) => [metadata.name, value]));

test('has what is there, and what changes, and tells it', async () => {
  const store = new Store();
  store.put('a', 1);
  const { clock, cache, told } = setUp(store);
  expect(cache.isSynced).toBe(false);
  await clock.advance(0);
  await cache.synced;
  store.put('b', 2);
  store.put('a', 3);
  store.remove('b');
  await clock.advance(0);
  expect(told).toEqual(['ns/a=1', 'ns/b=2', 'ns/a=3', 'ns/b=gone']);
  expect(values(cache)).toEqual({ a: 3 });
  expect(cache.get('ns/a')?.value).toBe(3);
  await cache.stop();
  expect(clock.alarms).toBe(0);
});

test('a watch that the server ends goes on where it stopped, without a list', async () => {
  const { store, clock, cache, told } = setUp();
  await clock.advance(0);
  store.put('a', 1);
  store.bookmark();
  await clock.advance(2_000);
  store.cut();
  store.put('b', 2);
  await clock.advance(0);
  expect(told).toEqual(['ns/a=1', 'ns/b=2']);
  expect({ lists: store.lists, watches: store.watches }).toEqual({ lists: 1, watches: ['0', '2'] });
  await cache.stop();
});

test('a watch that breaks goes on where it was, so that nothing is told twice', async () => {
  const { store, clock, cache, told, faults } = setUp();
  await clock.advance(0);
  store.put('a', 1);
  store.put('a', 2);
  await clock.advance(0);
  store.cut(new KubeError(0, '', 'reset'));
  store.put('a', 3);
  await clock.advance(1_000);
  expect(store.watches).toEqual(['0', '2']);
  expect({ told, faults }).toEqual({ told: ['ns/a=1', 'ns/a=2', 'ns/a=3'], faults: ['reset'] });
  await cache.stop();
});

test('a version that lies too far back is followed by a list, which tells what was missed', async () => {
  const { store, clock, cache, told } = setUp();
  store.put('a', 1);
  await clock.advance(2_000);
  store.silent = true;
  store.remove('a');
  store.put('b', 2);
  store.compact();
  store.silent = false;
  store.cut(new KubeError(410, 'Expired', 'too old'));
  await clock.advance(5_000);
  expect(told).toEqual(['ns/a=1', 'ns/a=gone', 'ns/b=2']);
  expect(store.lists).toBe(2);
  await cache.stop();
});

test('a watch that says nothing for 90 s is begun anew', async () => {
  const { store, clock, cache, faults } = setUp();
  await clock.advance(0);
  store.silent = true;
  store.put('a', 1);
  await clock.advance(60_000);
  expect(values(cache)).toEqual({});
  expect(cache.silentMs()).toBe(60_000);
  store.silent = false;
  await clock.advance(31_000);
  expect(values(cache)).toEqual({ a: 1 });
  expect(faults).toEqual(['a watch was silent and is begun anew']);
  await cache.stop();
});

test('bookmarks keep a watch alive', async () => {
  const { store, clock, cache, faults } = setUp();
  for (let i = 0; i < 9; i += 1) {
    store.bookmark();
    await clock.advance(60_000);
  }
  expect({ watches: store.watches.length, faults }).toEqual({ watches: 1, faults: [] });
  await cache.stop();
});

test('everything is listed again every ten minutes', async () => {
  const { store, clock, cache } = setUp();
  for (let i = 0; i < 25; i += 1) {
    store.bookmark();
    await clock.advance(60_000);
  }
  expect(store.lists).toBe(3);
  await cache.stop();
});

test('failures are followed by pauses that double, and are told', async () => {
  const store = new Store();
  for (let i = 0; i < 5; i += 1) store.faults.push(new KubeError(403, 'Forbidden', `no ${i}`));
  const { clock, cache, faults } = setUp(store);
  // 375, 750, 1,500, 3,000 and 6,000 ms
  await clock.advance(5_700);
  expect(store.lists).toBe(5);
  expect(cache.isSynced).toBe(false);
  await clock.advance(6_000);
  expect(faults).toEqual(['no 0', 'no 1', 'no 2', 'no 3', 'no 4']);
  expect({ isSynced: cache.isSynced, lists: store.lists }).toEqual({ isSynced: true, lists: 6 });
  await cache.stop();
});

test('a server that ends every watch at once is not asked without pause', async () => {
  const { store, clock, cache } = setUp();
  for (let i = 0; i < 100; i += 1) {
    await clock.advance(100);
    store.cut();
  }
  expect(store.watches.length).toBeLessThan(10);
  await cache.stop();
});

test('stop ends a pause, too', async () => {
  const store = new Store();
  store.faults.push(new KubeError(0, '', 'no'));
  const { clock, cache } = setUp(store);
  await clock.advance(0);
  await cache.stop();
  expect(clock.alarms).toBe(0);
});

const step = fc.oneof(
  fc.record({ put: fc.constantFrom('a', 'b', 'c'), value: fc.nat(9) }),
  fc.record({ remove: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ lose: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ passMs: fc.nat(100_000) }),
  fc.constantFrom(
    'cut' as const,
    'fault' as const,
    'break' as const,
    'compact' as const,
    'silence' as const,
    'bookmark' as const,
  ),
);

test('whatever breaks, the cache has what the server has when it is over, and has told every difference', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { store, clock, cache } = setUp();
      const mirror = new Map<string, number>();
      cache.onChange((key, object) => {
        if (object === undefined) mirror.delete(key);
        else mirror.set(key, object.value);
      });
      for (const each of steps) {
        if (each === 'cut') store.cut();
        else if (each === 'break') store.cut(new KubeError(0, '', 'reset'));
        else if (each === 'fault') store.faults.push(new KubeError(500, '', 'broken'));
        else if (each === 'compact') store.compact();
        else if (each === 'silence') store.silent = !store.silent;
        else if (each === 'bookmark') store.bookmark();
        else if ('put' in each) store.put(each.put, each.value);
        else if ('remove' in each) store.remove(each.remove);
        else if ('lose' in each) {
          await clock.advance(1);
          store.silent = true;
          store.remove(each.lose);
          store.compact();
          store.silent = false;
          store.cut();
        } else await clock.advance(each.passMs);
      }
      store.silent = false;
      await clock.advance(1_000_000);
      const kept = [...store.objects].map(([key, { value }]) => [key, value] as const);
      expect(new Map(cache.list().map((each) => [`ns/${each.metadata.name}`, each.value]))).toEqual(
        new Map(kept),
      );
      expect(mirror).toEqual(new Map(kept));
      await cache.stop();
      expect(clock.alarms).toBe(0);
    }),
  );
});
