import { describe, expect, test } from 'vitest';
import { AdaptiveLimit } from './adaptive-limit.ts';

/** A dependency that does so many calls at once, each in `serviceMs`; the others queue in it. */
interface Dependency {
  servers: number;
  serviceMs: number;
}

interface Simulated {
  /** The limit at the end of each second. */
  readonly limits: number[];
  /** Calls done in the last second. */
  readonly perSecond: number;
}

/** Callers that always want in: whoever is under the limit goes, and queues in the dependency. */
function overload(
  limit: AdaptiveLimit,
  dependency: Dependency,
  seconds: number,
  change: (second: number) => void = () => {},
): Simulated {
  const limits: number[] = [];
  /** When each server is free. */
  let servers: number[] = [];
  const ends: { at: number; since: number }[] = [];
  let inFlight = 0;
  let done = 0;
  let perSecond = 0;
  for (let now = 0; now < seconds * 1_000; now += 1) {
    if (now % 1_000 === 0) {
      change(now / 1_000);
      while (servers.length < dependency.servers) servers.push(now);
      servers = servers.slice(0, dependency.servers);
      limits.push(limit.limit);
      perSecond = done;
      done = 0;
    }
    for (let at = ends.length - 1; at >= 0; at -= 1) {
      const call = ends[at] as { at: number; since: number };
      if (call.at > now) continue;
      ends.splice(at, 1);
      limit.settle('success', now - call.since, inFlight);
      inFlight -= 1;
      done += 1;
    }
    while (inFlight < limit.limit) {
      const free = servers.indexOf(Math.min(...servers));
      const startsAt = Math.max(now, servers[free] as number);
      servers[free] = startsAt + dependency.serviceMs;
      ends.push({ at: startsAt + dependency.serviceMs, since: now });
      inFlight += 1;
    }
  }
  return { limits, perSecond };
}

const settings = { min: 1, max: 1_000 };

describe('under an overload that lasts', () => {
  test.each([
    { servers: 5, serviceMs: 10 },
    { servers: 20, serviceMs: 20 },
    { servers: 50, serviceMs: 5 },
  ])(
    'the limit stays near what the dependency can do ($servers at once, $serviceMs ms)',
    (dependency) => {
      const { limits, perSecond } = overload(new AdaptiveLimit(settings), dependency, 120);
      const settled = limits.slice(20);
      // Enough to keep it busy, and no queue that grows.
      expect(Math.max(...settled)).toBeLessThan(dependency.servers * 3);
      expect(Math.min(...settled)).toBeGreaterThanOrEqual(Math.floor(dependency.servers / 2));
      const most = (dependency.servers * 1_000) / dependency.serviceMs;
      expect(perSecond).toBeGreaterThan(most * 0.85);
      // No drift: the last minute is like the one before.
      const average = (of: readonly number[]): number =>
        of.reduce((sum, each) => sum + each, 0) / of.length;
      const [before, after] = [average(limits.slice(20, 70)), average(limits.slice(70))];
      expect(after).toBeLessThan(before * 1.3);
      expect(after).toBeGreaterThan(before * 0.7);
    },
  );

  test('it follows a dependency that gets slower, and one that grows', () => {
    const dependency = { servers: 20, serviceMs: 10 };
    const { limits } = overload(new AdaptiveLimit(settings), dependency, 180, (second) => {
      if (second === 60) dependency.servers = 5;
      if (second === 120) dependency.servers = 40;
    });
    expect(limits[59]).toBeGreaterThan(12);
    expect(limits[119]).toBeLessThan(16);
    expect(limits[179]).toBeGreaterThan(25);
  });
});

test('a limit that nobody reaches does not grow', () => {
  const limit = new AdaptiveLimit(settings);
  const before = limit.limit;
  for (let call = 0; call < 10_000; call += 1) limit.settle('success', 10, 1);
  expect(limit.limit).toBeLessThanOrEqual(before);
});

test('failures and throttled answers lower it, to the minimum at most; dropped calls say nothing', () => {
  const limit = new AdaptiveLimit({ min: 3, max: 100 });
  for (let call = 0; call < 1_000; call += 1) limit.settle('dropped', 1, 10);
  expect(limit.limit).toBe(10);
  for (let call = 0; call < 10; call += 1) limit.settle('throttled', 1, 10);
  expect(limit.limit).toBe(9);
  for (let call = 0; call < 1_000; call += 1) limit.settle('failure', 1, 10);
  expect(limit.limit).toBe(3);
});

test('new bounds hold at once', () => {
  const limit = new AdaptiveLimit({ min: 1, max: 100 });
  limit.configure({ min: 1, max: 4 });
  expect(limit.limit).toBe(4);
  limit.configure({ min: 20, max: 30 });
  expect(limit.limit).toBe(20);
});
