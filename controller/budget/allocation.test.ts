import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocate, type Claim } from './allocation.ts';

const claim: fc.Arbitrary<Claim> = fc
  .record({ floor: fc.nat(4), above: fc.nat(30), demand: fc.nat(50), held: fc.nat(50) })
  .map(({ floor, above, demand, held }) => ({ floor, ceiling: floor + above, demand, held }));
const claims = fc.array(claim, { maxLength: 12 });
/** Floors are at most half of it. */
const budget = fc
  .tuple(claims, fc.nat(120))
  .map(([claims, more]) => ({ claims, room: 2 * sum(claims.map(({ floor }) => floor)) + more }));

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const most = ({ floor, ceiling, demand }: Claim): number =>
  Math.max(floor, Math.min(demand, ceiling));

/** One session after the other, each to whoever has least and wants more. */
function slowly(claims: readonly Claim[], room: number): number[] {
  const shares = claims.map(({ floor }) => floor);
  const give = (limit: (claim: Claim) => number): void => {
    for (;;) {
      const hungry = claims
        .map((claim, at) => ({ claim, at, share: shares[at] ?? 0 }))
        .filter(({ claim, share }) => share < limit(claim))
        .toSorted(
          (a, b) =>
            a.share - b.share ||
            Number(b.claim.held > b.share) - Number(a.claim.held > a.share) ||
            a.at - b.at,
        );
      const next = hungry[0];
      if (next === undefined || sum(shares) >= room) return;
      shares[next.at] = next.share + 1;
    }
  };
  give(most);
  const fair = [...shares];
  const limits = new Map(
    claims.map((claim, at) => [
      claim,
      Math.max(fair[at] ?? 0, Math.min(claim.held, claim.ceiling)),
    ]),
  );
  give((claim) => limits.get(claim) ?? 0);
  return shares;
}

test('shares are those of a slow reference that gives one session after the other', () => {
  fc.assert(
    fc.property(budget, ({ claims, room }) => {
      expect(allocate(claims, room)).toEqual(slowly(claims, room));
    }),
    { numRuns: 500 },
  );
});

test('never above the room, never below a floor, never above a ceiling', () => {
  fc.assert(
    fc.property(budget, ({ claims, room }) => {
      const shares = allocate(claims, room);
      expect(sum(shares)).toBeLessThanOrEqual(room);
      for (const [at, { floor, ceiling }] of claims.entries()) {
        expect(shares[at]).toBeGreaterThanOrEqual(floor);
        expect(shares[at]).toBeLessThanOrEqual(ceiling);
      }
    }),
  );
});

test('nobody could have more without taking it from one who has less', () => {
  fc.assert(
    fc.property(budget, ({ claims, room }) => {
      const shares = allocate(claims, room);
      for (const [at, claim] of claims.entries()) {
        const share = shares[at] ?? 0;
        if (share >= most(claim)) continue;
        expect(sum(shares)).toBe(room);
        for (const [other, { floor }] of claims.entries()) {
          const theirs = shares[other] ?? 0;
          expect(theirs).toBeLessThanOrEqual(Math.max(floor, share + 1));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('more room takes from nobody, and more demand does not cost its owner', () => {
  fc.assert(
    fc.property(budget, fc.nat(10), fc.nat(11), ({ claims, room }, more, who) => {
      const shares = allocate(claims, room);
      for (const [at, share] of allocate(claims, room + more).entries()) {
        expect(share).toBeGreaterThanOrEqual(shares[at] ?? 0);
      }
      const greedier = claims.map((claim, at) =>
        at === who ? { ...claim, demand: claim.demand + more } : claim,
      );
      const own = allocate(greedier, room)[who] ?? 0;
      expect(own).toBeGreaterThanOrEqual(shares[who] ?? 0);
    }),
    { numRuns: 500 },
  );
});

test('steady demand moves nothing', () => {
  fc.assert(
    fc.property(budget, ({ claims, room }) => {
      const shares = allocate(claims, room);
      const settled = claims.map((claim, at) => ({ ...claim, held: shares[at] ?? 0 }));
      expect(allocate(settled, room)).toEqual(shares);
    }),
    { numRuns: 500 },
  );
});

test('what nobody waits for stays where it is', () => {
  const idle = { floor: 1, ceiling: 20, demand: 0, held: 9 };
  const busy = { floor: 1, ceiling: 20, demand: 5, held: 5 };
  expect(allocate([idle, busy], 20)).toEqual([9, 5]);
  expect(allocate([idle, { ...busy, demand: 18 }], 20)).toEqual([2, 18]);
});

test('floors that exceed a lowered total stay, and nobody gets more', () => {
  const claims = [3, 3, 0].map((floor) => ({ floor, ceiling: 9, demand: 9, held: 9 }));
  expect(allocate(claims, 4)).toEqual([3, 3, 0]);
});

test('10,000 pods are allocated, and how long that takes is printed', () => {
  const claims = Array.from({ length: 10_000 }, (_, at) => ({
    floor: at % 3,
    ceiling: 50,
    demand: (at * 7919) % 61,
    held: (at * 104_729) % 53,
  }));
  const times = Array.from({ length: 9 }, () => {
    const startedMs = performance.now();
    allocate(claims, 200_000);
    return performance.now() - startedMs;
  }).toSorted((a, b) => a - b);
  console.log(`allocation of 10,000 pods: median ${times[4]?.toFixed(1)} ms`);
  expect(sum(allocate(claims, 200_000))).toBe(200_000);
});
