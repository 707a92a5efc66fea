import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderViolations, violationsOf } from './checker.ts';
import type { Hold } from './holds.ts';

let ids = 0;
const aHold = (more: Partial<Hold>): Hold => {
  ids += 1;
  const grantedAtMs = more.grantedAtMs ?? 0;
  return {
    id: `h${ids}`,
    name: 'a',
    mode: 'exclusive',
    permits: 1,
    owner: '',
    fence: '',
    token: BigInt(ids),
    askedAtMs: grantedAtMs - 1,
    untilMs: grantedAtMs,
    goneAtMs: Infinity,
    ...more,
    grantedAtMs,
  };
};

/** What came one after the other, and in each turn together: a history that keeps its promises. */
const turn = fc.record({
  mode: fc.constantFrom('exclusive', 'shared', 'semaphore'),
  permits: fc.integer({ min: 1, max: 4 }),
  members: fc.array(
    fc.record({
      from: fc.integer({ min: 0, max: 40 }),
      heldMs: fc.integer({ min: 1, max: 60 }),
      waitedMs: fc.integer({ min: 1, max: 200 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});
const histories = fc.array(turn, { minLength: 1, maxLength: 12 }).map((turns) => {
  let token = 0n;
  return turns.map(({ mode, permits, members }, nth) => {
    const isAlone = mode === 'exclusive';
    const most = mode === 'semaphore' ? permits : members.length;
    const its = isAlone ? members.slice(0, 1) : members.slice(0, most);
    return its
      .toSorted((a, b) => a.from - b.from)
      .map(({ from, heldMs, waitedMs }) => {
        token += 1n;
        const grantedAtMs = nth * 100 + from;
        return aHold({
          mode,
          permits: mode === 'semaphore' ? permits : 1,
          grantedAtMs,
          token: mode === 'semaphore' ? 0n : token,
          untilMs: Math.min(grantedAtMs + heldMs, nth * 100 + 100),
          askedAtMs: grantedAtMs - waitedMs,
        });
      });
  });
});
const runs = { numRuns: 300 };

describe('a property', () => {
  test('a history that keeps its promises has no violation, in whatever order it is told', () => {
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), (turns, keys) => {
        const shuffled = turns
          .flat()
          .map((hold) => ({ hold, key: keys.next().value as number }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ hold }) => hold);
        expect(violationsOf(shuffled)).toEqual([]);
      }),
      runs,
    );
  });

  test('a holder that is planted into the time of an exclusive one is found', () => {
    fc.assert(
      fc.property(
        histories,
        fc.nat(),
        fc.constantFrom<Hold['mode']>('exclusive', 'shared', 'semaphore'),
        (turns, nth, mode) => {
          const alone = turns.filter(([first]) => first?.mode === 'exclusive').flat();
          fc.pre(alone.length > 0);
          const victim = alone[nth % alone.length] as Hold;
          const at = (victim.grantedAtMs + victim.untilMs) / 2;
          const planted = aHold({ mode, permits: 9, grantedAtMs: at, untilMs: at + 1 });
          const found = violationsOf([...turns.flat(), planted]);
          expect(found.map(({ rule }) => rule)).toContain('exclusion');
        },
      ),
      runs,
    );
  });

  test('an exclusive one that is planted into anybody’s time is found', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (turns, nth) => {
        const all = turns.flat();
        const victim = all[nth % all.length] as Hold;
        const at = (victim.grantedAtMs + victim.untilMs) / 2;
        const planted = aHold({ grantedAtMs: at, untilMs: at + 1 });
        const found = violationsOf([...all, planted]);
        expect(found.map(({ rule }) => rule)).toContain('exclusion');
      }),
      runs,
    );
  });

  test('a semaphore that has one holder too many is found', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 3 }),
        (permits, apart) => {
          const holders = Array.from({ length: permits + 1 }, (_, nth) =>
            aHold({
              mode: 'semaphore',
              permits,
              token: 0n,
              grantedAtMs: nth * apart,
              untilMs: 100,
            }),
          );
          expect(violationsOf(holders.slice(1))).toEqual([]);
          expect(violationsOf(holders).map(({ rule }) => rule)).toEqual(['exclusion']);
        },
      ),
      runs,
    );
  });

  test('two tokens that are exchanged between holders that were not there together are found', () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(), (turns, a, b) => {
        const withTokens = turns.filter(([first]) => first?.mode !== 'semaphore');
        fc.pre(withTokens.length > 1);
        const first = a % (withTokens.length - 1);
        const later = first + 1 + (b % (withTokens.length - 1 - first));
        const [early, late] = [withTokens[first]?.[0] as Hold, withTokens[later]?.[0] as Hold];
        fc.pre(early.mode === 'exclusive' || late.mode === 'exclusive');
        const exchanged = turns
          .flat()
          .map((hold) =>
            hold === early
              ? { ...hold, token: late.token }
              : hold === late
                ? { ...hold, token: early.token }
                : hold,
          );
        expect(violationsOf(exchanged).map(({ rule }) => rule)).toContain('tokens');
      }),
      runs,
    );
  });

  test('the exclusive holders of a history overlap as the instants of all of them say', () => {
    const intervals = fc.array(
      fc.record({ from: fc.integer({ min: 0, max: 60 }), heldMs: fc.integer({ min: 0, max: 9 }) }),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(intervals, (all) => {
        const sorted = all.toSorted((a, b) => a.from - b.from);
        const holds = sorted.map(({ from, heldMs }) =>
          aHold({ grantedAtMs: from, askedAtMs: -1, untilMs: from + heldMs }),
        );
        const most = Math.max(
          ...Array.from(
            { length: 80 },
            (_, at) =>
              holds.filter(({ grantedAtMs, untilMs }) => grantedAtMs <= at && at < untilMs).length,
          ),
        );
        const found = violationsOf(holds).some(({ rule }) => rule === 'exclusion');
        expect(found).toBe(most > 1);
      }),
      runs,
    );
  });
});

describe('tokens', () => {
  const rules = (holds: readonly Hold[]): string[] => violationsOf(holds).map(({ rule }) => rule);

  test('the same one for a stranger is found, though it came much later', () => {
    const first = aHold({ grantedAtMs: 0, untilMs: 5, token: 7n });
    expect(rules([first, aHold({ grantedAtMs: 500, untilMs: 505, token: 7n })])).toEqual([
      'tokens',
    ]);
  });

  test('the same one for the same owner, while it holds the lock, is right; another one is found', () => {
    const held = { owner: 'o', untilMs: 100, mode: 'shared' } as const;
    const first = aHold({ ...held, grantedAtMs: 0, token: 7n });
    const other = aHold({ mode: 'shared', grantedAtMs: 5, untilMs: 90, token: 8n });
    expect(rules([first, other, aHold({ ...held, grantedAtMs: 10, token: 7n })])).toEqual([]);
    expect(rules([first, other, aHold({ ...held, grantedAtMs: 10, token: 9n })])).toEqual([
      'tokens',
    ]);
  });

  test('the same one for an owner that had released it before is found', () => {
    const first = aHold({ owner: 'o', grantedAtMs: 0, untilMs: 5, goneAtMs: 6, token: 7n });
    const again = aHold({ owner: 'o', grantedAtMs: 20, untilMs: 30, token: 7n });
    expect(rules([first, again])).toEqual(['tokens']);
  });

  test('those of a fence and of the authority are not compared', () => {
    const fenced = aHold({ grantedAtMs: 0, untilMs: 5, token: 900n, fence: 'default' });
    expect(rules([fenced, aHold({ grantedAtMs: 20, untilMs: 30, token: 7n })])).toEqual([]);
  });

  test('a smaller one counts for a holder that had asked when the larger one was there', () => {
    const first = aHold({ mode: 'shared', grantedAtMs: 10, untilMs: 11, token: 9n });
    const asked = { mode: 'shared', grantedAtMs: 50, untilMs: 60, token: 8n } as const;
    expect(rules([first, aHold({ ...asked, askedAtMs: 5 })])).toEqual([]);
    expect(rules([first, aHold({ ...asked, askedAtMs: 11 })])).toEqual(['tokens']);
  });
});

test('an owner may hold it twice, and two of other names are not in the way', () => {
  const first = aHold({ owner: 'o', grantedAtMs: 0, untilMs: 50, token: 1n });
  const again = aHold({ owner: 'o', grantedAtMs: 10, untilMs: 20, token: 1n });
  expect(violationsOf([first, again, aHold({ name: 'b', grantedAtMs: 5, untilMs: 9 })])).toEqual(
    [],
  );
});

test('order: who was overtaken by more than one is found', () => {
  const waiting = [0, 10, 20, 30].map((askedAtMs) =>
    aHold({ askedAtMs, grantedAtMs: 100 + askedAtMs }),
  );
  const last = (grantedAtMs: number): Hold => aHold({ askedAtMs: 5, grantedAtMs });
  expect(orderViolations([...waiting, last(105)], 0)).toEqual([]);
  expect(orderViolations([...waiting, last(115)], 0)).toHaveLength(1);
  expect(orderViolations([...waiting, last(115)], 1)).toEqual([]);
  expect(orderViolations([...waiting, last(125)], 1)).toHaveLength(1);
  expect(orderViolations([...waiting, last(125)], 1, 10)).toEqual([]);
});
