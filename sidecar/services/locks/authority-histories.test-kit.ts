import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { LockReading } from './authority.ts';
import { Attempt, newClaim, plainCall, type SuiteAuthority } from './lock-attempt.test-kit.ts';
import { LockModel } from './lock-model.test-kit.ts';

type Event =
  | {
      readonly kind: 'acquire';
      readonly by: number;
      readonly owner: string;
      readonly mode: 'exclusive' | 'shared' | 'semaphore';
      readonly waits: boolean;
    }
  | { readonly kind: 'release' | 'cancel'; readonly which: number }
  | { readonly kind: 'force'; readonly by: number };

const by = fc.nat(2);
const which = fc.nat(30);

/** What may happen to one lock, through three sidecars. */
export const lockHistories: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('acquire' as const),
        by,
        owner: fc.constantFrom('', '', '', '', 'a', 'b b'),
        mode: fc.constantFrom('exclusive', 'shared', 'semaphore' as const),
        waits: fc.boolean(),
      }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('release' as const), which }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('force' as const), by }) },
  ),
  { minLength: 5, maxLength: 20 },
);

/** Lets a history happen to a new lock, step by step, and holds every answer to the model. */
export async function live(
  history: readonly Event[],
  authorities: readonly SuiteAuthority[],
): Promise<void> {
  const name = `history ${randomUUID()}`;
  const model = new LockModel();
  const attempts: Attempt[] = [];
  const at = (index: number): SuiteAuthority => authorities[index] as SuiteAuthority;
  let known = new Set<Attempt>();
  const settled = async (): Promise<void> => {
    const expected = attempts.map(({ claim }) => model.fates.get(claim.leaseId));
    await expect.poll(() => attempts.map(({ state }) => state), patience).toEqual(expected);
    await expect
      .poll(() => readingOf(at(0), name), patience)
      .toEqual({
        waiting: model.waiting,
        counts: model.counts,
      });
    const granted = attempts.filter((each) => each.granted !== undefined);
    const tokens = [...known].map((each) => each.granted?.token ?? 0n);
    const highest = tokens.reduce((most, token) => (token > most ? token : most), 0n);
    expectTokensToGrow(
      granted.filter((each) => !known.has(each)),
      granted,
      highest,
    );
    known = new Set(granted);
  };
  for (const event of history) {
    switch (event.kind) {
      case 'acquire': {
        const { mode, owner, waits } = event;
        const permits = mode === 'semaphore' ? 2 : 1;
        const claim = newClaim(name, { mode, permits, ...(owner === '' ? {} : { owner }) });
        model.acquire(claim, waits);
        attempts.push(new Attempt(at(event.by), claim, waits ? 60_000 : 0));
        break;
      }
      case 'force':
        expect(await at(event.by).authority.forceRelease(name, plainCall())).toBe(model.force());
        break;
      default: {
        const wanted = event.kind === 'cancel' ? 'waiting' : 'granted';
        const some = attempts.filter(({ state }) => state === wanted);
        const attempt = some[event.which % some.length];
        if (attempt === undefined) continue;
        if (event.kind === 'cancel') {
          model.cancel(attempt.claim);
          attempt.cancel();
        } else expect(await attempt.release()).toBe(model.release(attempt.claim));
      }
    }
    await settled();
  }
  // The last first, so that none of them gets it meanwhile.
  for (const attempt of attempts.toReversed()) {
    model.cancel(attempt.claim);
    attempt.cancel();
  }
  for (const attempt of attempts) {
    if (attempt.state === 'granted') {
      expect(await attempt.release()).toBe(model.release(attempt.claim));
    }
  }
  // Nobody got it who should not have.
  await sleep(5);
  await settled();
}

const patience = { timeout: 5_000, interval: 2 };

async function readingOf(
  { authority }: SuiteAuthority,
  name: string,
): Promise<{ waiting: number; counts: readonly number[] }> {
  const found = await authority.list(name, 1, plainCall());
  const [{ waiting, holders } = nothing] = found;
  return { waiting, counts: holders.map(({ count }) => count).toSorted((a, b) => b - a) };
}

const nothing: Pick<LockReading, 'waiting' | 'holders'> = { waiting: 0, holders: [] };

/** Of those that were granted by one event; `highest` of those before. An owner that has it already gets the same token. */
function expectTokensToGrow(
  fresh: readonly Attempt[],
  all: readonly Attempt[],
  highest: bigint,
): void {
  for (const { claim, granted } of fresh) {
    const token = granted?.token ?? -1n;
    const isOwners = all.some(
      (other) =>
        other.claim !== claim &&
        other.claim.owner === claim.owner &&
        other.granted?.token === token,
    );
    const isRight = claim.mode === 'semaphore' ? token === 0n : token > highest || isOwners;
    expect(isRight).toBe(true);
  }
}
