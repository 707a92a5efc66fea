import { beforeEach, describe, expect, test } from 'vitest';
import { Call, cancelled } from '../../../platform/call.ts';
import { Deadlines } from '../../../platform/deadlines.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { TestClock } from '../../../platform/test-clock.ts';
import { OpenScope } from '../../grpc/open-scope.ts';
import type { Claim, LockAuthority } from './authority.ts';
import { Grants } from './grants.ts';
import type { LockRequest } from './lock-request.ts';

const away = (): HoldfastError => new HoldfastError('unavailable', 'REDIS_UNAVAILABLE', 'away');

let clock: TestClock;
let grants: Grants;
let scope: OpenScope;
/** What the authority was asked, in order. */
let asked: string[];
let lost: string[];
let isAway: boolean;
let unknown: boolean;
let raised: bigint;
/** How long the authority takes for the lock of this name. */
let delays: Record<string, number>;
let tokens: Map<string, bigint>;

const request = (more: Partial<LockRequest> = {}): LockRequest => ({
  names: ['a'],
  mode: 'exclusive',
  permits: 1,
  ttlMs: 3_000,
  waitMs: undefined,
  owner: '',
  fence: undefined,
  maxHoldMs: 60_000,
  ...more,
});
const aCall = (): Call => new Call({ scope, deadlineAtMs: Infinity });
const acquire = (more: Partial<LockRequest> = {}, isKept = true) =>
  grants.acquire(request(more), aCall(), isKept);

beforeEach(() => {
  clock = new TestClock();
  scope = new OpenScope(undefined, undefined, true);
  asked = [];
  lost = [];
  isAway = false;
  unknown = false;
  raised = 100n;
  delays = {};
  tokens = new Map();
  const answer = async <T>(what: string, value: T): Promise<T> => {
    asked.push(`${clock.now()} ${what}`);
    await Promise.resolve();
    if (isAway) throw away();
    return value;
  };
  const authority: LockAuthority = {
    kind: 'redis',
    acquire: async (claim: Claim, call: Call) => {
      const sentAtMs = clock.now();
      await clock.sleep(delays[claim.name] ?? 0, call.signal);
      const token = tokens.get(`${claim.name} ${claim.owner}`) ?? BigInt(tokens.size + 1);
      tokens.set(`${claim.name} ${claim.owner}`, token);
      return answer(`acquire ${claim.name}`, { token, sentAtMs });
    },
    renew: (claims) => {
      const sentAtMs = clock.now();
      return answer(
        `renew ${claims.map(({ name }) => name).join()}`,
        claims.map(() => (unknown ? ('gone' as const) : { sentAtMs })),
      );
    },
    release: ({ name }) => answer(`release ${name}`, true),
    list: () => answer('list', []),
    forceRelease: () => answer('force', 1),
    close: () => Promise.resolve(),
  };
  grants = new Grants({
    clock,
    deadlines: new Deadlines(clock),
    authority,
    raise: (pool, lock) => answer(`raise ${pool} ${lock}`, (raised += 1n)),
    newId: () => `lease-${asked.length}`,
    events: {
      granted: () => {},
      lost: (loss, names) => lost.push(`${clock.now()} ${loss} ${names.join()}`),
    },
  });
});

const settled = async <T>(work: Promise<T>): Promise<T> => {
  await clock.advance(0);
  return work;
};

describe('a grant of a session', () => {
  test('is renewed at a third of its time to live, and goes with its session', async () => {
    await settled(acquire());
    await clock.advance(3_500);
    expect(asked).toEqual(['0 acquire a', '1000 renew a', '2000 renew a', '3000 renew a']);
    scope.close();
    await clock.advance(10_000);
    expect(asked.slice(4)).toEqual(['3500 release a']);
    expect(grants.size).toBe(0);
    expect(lost).toEqual([]);
  });

  test('is lost when its time has passed since the last renewal that was confirmed, not at the first that fails', async () => {
    const grant = await settled(acquire());
    const told: unknown[] = [];
    grant.onLost((loss) => told.push([clock.now(), loss]));
    await clock.advance(1_500);
    isAway = true;
    await clock.advance(2_499);
    expect(lost).toEqual([]);
    expect(asked.filter((each) => each.includes('renew')).length).toBeGreaterThan(4);
    await clock.advance(1);
    expect(lost).toEqual(['4000 expired a']);
    expect(told).toEqual([[4_000, 'expired']]);
    await expect(grants.release(grant.leaseId)).rejects.toMatchObject({
      reason: 'LOCK_LOST',
      metadata: { cause: 'expired' },
    });
  });

  test('is lost in time although the timer rings a little early, as timers of the system do', async () => {
    const after = clock.after.bind(clock);
    clock.after = (delayMs, ring) => after(delayMs > 100 ? delayMs - 0.8 : delayMs, ring);
    await settled(acquire());
    isAway = true;
    await clock.advance(3_001);
    expect(lost).toHaveLength(1);
  });

  test('outlives an authority that is away for less', async () => {
    await settled(acquire());
    await clock.advance(900);
    isAway = true;
    await clock.advance(2_000);
    isAway = false;
    await clock.advance(20_000);
    expect(lost).toEqual([]);
    expect(grants.size).toBe(1);
  });

  test('is lost at once when the authority does not know it any more', async () => {
    await settled(acquire());
    unknown = true;
    await clock.advance(1_100);
    expect(lost).toEqual(['1000 forced a']);
  });

  test('is lost when it was held for too long, and then released', async () => {
    await settled(acquire({ maxHoldMs: 5_000 }));
    await clock.advance(6_000);
    expect(lost).toEqual(['5000 held too long a']);
    expect(asked.at(-1)).toBe('5000 release a');
  });

  test('is held from when it has it: the wait before counts for nothing', async () => {
    delays = { a: 2_000 };
    const grant = acquire({ ttlMs: 30_000, maxHoldMs: 2_500 });
    await clock.advance(2_000);
    await settled(grant);
    await clock.advance(2_400);
    expect(lost).toEqual([]);
    await clock.advance(200);
    expect(lost).toEqual(['4500 held too long a']);
  });

  test('is released when its session closed while it was acquired', async () => {
    delays['a'] = 100;
    const acquiring = acquire().catch((error: HoldfastError) => error);
    await clock.advance(50);
    scope.close();
    await clock.advance(100);
    expect(await acquiring).toMatchObject({ reason: 'LOCK_LOST' });
    expect(asked).toEqual(['100 acquire a', '100 release a']);
  });
});

test('whoever was stopped sees what is over before he does anything else', async () => {
  const grant = await settled(acquire());
  // The timers of a process that was stopped ring late: here they have not rung yet.
  const stopped = { now: clock.now() + 10_000 };
  grants.look(stopped.now);
  expect(lost).toEqual(['0 expired a']);
  await expect(grants.renew(grant.leaseId)).rejects.toMatchObject({ reason: 'LOCK_LOST' });
  expect(() => grants.fencesOf([grant.leaseId], 'default')).toThrow('lost');
});

test('a lease is renewed by its holder only', async () => {
  const grant = await settled(acquire({}, false));
  await clock.advance(2_000);
  expect(await settled(grants.renew(grant.leaseId))).toBe(3_000);
  await clock.advance(2_999);
  expect(lost).toEqual([]);
  await clock.advance(1);
  expect(lost).toEqual(['5000 expired a']);
  expect(asked.filter((each) => each.includes('renew'))).toHaveLength(1);
});

describe('several locks', () => {
  test('are taken in order, renewed together, and released the last first', async () => {
    const grant = await settled(acquire({ names: ['a', 'b', 'c'] }));
    await clock.advance(1_000);
    await settled(grants.release(grant.leaseId));
    expect(asked).toEqual([
      '0 acquire a',
      '0 acquire b',
      '0 acquire c',
      '1000 renew a,b,c',
      '1000 release c',
      '1000 release b',
      '1000 release a',
    ]);
  });

  test('the first is renewed while the next is waited for', async () => {
    delays['b'] = 10_000;
    const acquiring = acquire({ names: ['a', 'b'] });
    await clock.advance(10_100);
    await acquiring;
    expect(lost).toEqual([]);
    expect(asked.filter((each) => each.endsWith('renew a')).length).toBeGreaterThanOrEqual(9);
  });

  test('all are given back when one cannot be had', async () => {
    delays['b'] = 500;
    const call = aCall();
    const acquiring = grants
      .acquire(request({ names: ['a', 'b'] }), call, true)
      .catch((error: unknown) => error);
    await clock.advance(100);
    call.end(cancelled());
    await clock.advance(0);
    expect(await acquiring).toMatchObject({ reason: 'CANCELLED' });
    await clock.advance(5_000);
    expect(asked).toEqual(['0 acquire a', '100 release a']);
    expect(grants.size).toBe(0);
  });
});

describe('fences', () => {
  test('are drawn from the database after the locks are held, and told to its transactions', async () => {
    const grant = await settled(acquire({ names: ['a', 'b'], fence: 'orders' }));
    expect(asked.slice(2)).toEqual(['0 raise orders a', '0 raise orders b']);
    expect(grants.fencesOf([grant.leaseId], 'orders')).toEqual([
      { lock: 'a', mode: 'exclusive', value: 101n },
      { lock: 'b', mode: 'exclusive', value: 102n },
    ]);
    expect(() => grants.fencesOf([grant.leaseId], 'other')).toThrow('fence "other"');
  });

  test('an owner that has its lock again has the same one', async () => {
    const first = await settled(acquire({ owner: 'me', fence: 'orders' }));
    const again = await settled(acquire({ owner: 'me', fence: 'orders' }));
    const fence = [{ lock: 'a', mode: 'exclusive', value: 101n }];
    expect(grants.fencesOf([first.leaseId], 'orders')).toEqual(fence);
    expect(grants.fencesOf([again.leaseId], 'orders')).toEqual(fence);
    expect(asked.filter((each) => each.includes('raise'))).toHaveLength(1);
  });

  test('a grant whose time is over before its fence was drawn is lost, not granted', async () => {
    delays['b'] = 100;
    const acquiring = acquire({ names: ['a', 'b'], fence: 'orders' }).catch(
      (error: unknown) => error,
    );
    await clock.advance(50);
    isAway = false;
    // Its sidecar stops.
    grants.look(clock.now() + 4_000);
    await clock.advance(100);
    expect(await acquiring).toMatchObject({ reason: 'LOCK_LOST' });
  });
});

test('a thousand grants that are due together are renewed in few requests', async () => {
  await settled(
    Promise.all(Array.from({ length: 1_000 }, (_, nth) => acquire({ names: [`n${nth}`] }))),
  );
  asked.length = 0;
  await clock.advance(1_000);
  expect(asked).toHaveLength(2);
  await clock.advance(20_000);
  expect(lost).toEqual([]);
});
