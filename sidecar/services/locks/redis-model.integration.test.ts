import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../../platform/call.ts';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import type { Claim, Granted, LockMode } from './authority.ts';
import { ExpiringLockModel } from './expiring-lock-model.test-kit.ts';
import {
  cancel,
  claimOf,
  newCall,
  newName,
  openAuthority,
  type TestAuthority,
} from './redis-authority.test-kit.ts';

const shortMs = 20;
let server: RedisServer;
let sidecars: readonly TestAuthority[];

beforeAll(async () => {
  server = await startRedis();
  sidecars = await Promise.all([0, 1, 2].map(() => openAuthority(server.url)));
});
afterAll(async () => {
  for (const sidecar of sidecars) await sidecar[Symbol.asyncDispose]();
  await server.stop();
});

type Step =
  | {
      readonly do: 'acquire';
      readonly at: number;
      readonly mode: LockMode;
      /** 0 is none. */
      readonly owner: number;
      readonly waits: boolean;
      /** Never renewed or released. */
      readonly short: boolean;
    }
  | { readonly do: 'release' | 'cancel'; readonly which: number; readonly at: number }
  | { readonly do: 'force'; readonly at: number };

const at = fc.nat({ max: 2 });
const which = fc.nat({ max: 20 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      at,
      mode: fc.oneof(
        { weight: 3, arbitrary: fc.constant('exclusive' as const) },
        { weight: 2, arbitrary: fc.constant('shared' as const) },
        { weight: 1, arbitrary: fc.constant('semaphore' as const) },
      ),
      owner: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat({ max: 2 })),
      waits: fc.boolean(),
      short: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), which, at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const), at }) },
);

/** One lock and its model, side by side. */
function rehearse() {
  const model = new ExpiringLockModel(shortMs);
  const name = newName();
  const calls = new Map<string, Call>();
  const claims = new Map<string, Claim>();
  const outcomes = new Map<string, 'refused' | Granted>();

  async function acquire(
    sidecar: TestAuthority,
    { mode, owner, waits, short }: Step & { do: 'acquire' },
  ): Promise<void> {
    const claim = claimOf(name, {
      mode,
      permits: mode === 'semaphore' ? 2 : 1,
      ttlMs: short ? shortMs : 60_000,
      ...(owner === 0 || short ? {} : { owner: `owner ${owner}` }),
    });
    const call = newCall();
    claims.set(claim.leaseId, claim);
    calls.set(claim.leaseId, call);
    model.acquire(claim, waits);
    const ended = sidecar.acquire(claim, waits ? 60_000 : 0, call).then(
      (granted) => void outcomes.set(claim.leaseId, granted),
      () => void outcomes.set(claim.leaseId, 'refused'),
    );
    if (!waits) await ended;
  }

  /** Whether a release was told what it should have been; true for all else. */
  async function run(step: Step): Promise<boolean> {
    const sidecar = sidecars[step.at] as TestAuthority;
    switch (step.do) {
      case 'acquire':
        await acquire(sidecar, step);
        return true;
      case 'release': {
        const lease = pick(model.leases('held'), step.which);
        if (lease === undefined) return true;
        model.release(lease);
        return sidecar.authority.release(claims.get(lease) as Claim);
      }
      case 'cancel': {
        const lease = pick(model.leases('waiting'), step.which);
        if (lease === undefined) return true;
        model.cancel(lease);
        cancel(calls.get(lease) as Call);
        return true;
      }
      case 'force':
        model.force();
        await sidecar.authority.forceRelease(name, newCall());
        return true;
      default:
        return step satisfies never;
    }
  }

  const outcomeOf = (lease: string): string => {
    const outcome = outcomes.get(lease);
    return typeof outcome === 'object' ? 'granted' : (outcome ?? 'none');
  };

  async function found(): Promise<object> {
    // First: a grant that comes meanwhile may not be in the reading.
    const ended = [...claims.keys()].map(outcomeOf);
    const [reading] = await (sidecars[0] as TestAuthority).authority.list(name, 1, newCall());
    return {
      waiting: reading?.waiting ?? 0,
      holders: (reading?.holders ?? []).map(({ owner, count }) => [owner, count]).toSorted(byText),
      outcomes: ended,
    };
  }

  const expected = (): object => ({
    waiting: model.waiting,
    holders: model.holders
      .map(([owner, count]) => [claims.has(owner) ? '' : owner, count])
      .toSorted(byText),
    outcomes: [...claims.keys()].map((lease) => {
      if (model.granted.has(lease)) return 'granted';
      return model.fates.get(lease) === 'waiting' ? 'none' : 'refused';
    }),
  });

  /** Of each group of holders, without semaphores, which have none. */
  const tokens = (): bigint[][] =>
    model.groups
      .map((group) => group.map((lease) => (outcomes.get(lease) as Granted).token))
      .map((some) => some.filter((token) => token > 0n))
      .filter((some) => some.length > 0);

  const end = (): void => calls.forEach(cancel);
  return { run, found, expected, tokens, end };
}

const byText = (a: readonly unknown[], b: readonly unknown[]): number =>
  String(a) < String(b) ? -1 : 1;

const pick = (all: readonly string[], which: number): string | undefined =>
  all.length === 0 ? undefined : all[which % all.length];

test('whatever several sidecars do, a lock is as its model has it, and is granted in that order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
      const { run, found, expected, tokens, end } = rehearse();
      try {
        for (const each of steps) {
          expect(await run(each)).toBe(true);
          await expect.poll(found, { interval: 1, timeout: 3_000 }).toEqual(expected());
        }
        const groups = tokens();
        for (const [index, group] of groups.entries()) {
          const before = groups[index - 1] ?? [0n];
          expect(Math.min(...group.map(Number))).toBeGreaterThan(Math.max(...before.map(Number)));
        }
      } finally {
        end();
      }
    }),
    { numRuns: 120 },
  );
});
