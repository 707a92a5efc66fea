import type { Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { AcquireRequest__Output } from '../../../platform/gen/holdfast/v1/AcquireRequest.ts';
import type { ForceReleased } from '../../../platform/gen/holdfast/v1/ForceReleased.ts';
import type { ForceReleaseRequest__Output } from '../../../platform/gen/holdfast/v1/ForceReleaseRequest.ts';
import type { Grant } from '../../../platform/gen/holdfast/v1/Grant.ts';
import type { HoldEvent } from '../../../platform/gen/holdfast/v1/HoldEvent.ts';
import type { ListLocksRequest__Output } from '../../../platform/gen/holdfast/v1/ListLocksRequest.ts';
import type { LockList } from '../../../platform/gen/holdfast/v1/LockList.ts';
import type { LockLost } from '../../../platform/gen/holdfast/v1/LockLost.ts';
import type { LockState } from '../../../platform/gen/holdfast/v1/LockState.ts';
import type { ReleaseLockRequest__Output } from '../../../platform/gen/holdfast/v1/ReleaseLockRequest.ts';
import type { Renewed } from '../../../platform/gen/holdfast/v1/Renewed.ts';
import type { RenewRequest__Output } from '../../../platform/gen/holdfast/v1/RenewRequest.ts';
import type { Clock } from '../../../platform/clock.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { Operation, OperationTable, StreamOperation } from '../../grpc/operation.ts';
import type { LockAuthority, LockMode, LockReading } from './authority.ts';
import type { Grants } from './grants.ts';
import { encodedGrant, leftMs } from './grant-encoding.ts';
import type { HeldGrant, Loss } from './held-grant.ts';
import { invalid, lockName, lockRequest, type LockLimits } from './lock-request.ts';

/** Locks of a policy. */
export interface Locks {
  readonly grants: Grants;
  readonly authority: LockAuthority;
  readonly limits: LockLimits;
}

interface LockParts {
  readonly clock: Clock;
  /** Those of the policy. Throws when it has none. */
  readonly locks: () => Locks;
}

export const noLocks = (): HoldfastError =>
  new HoldfastError(
    'precondition',
    'LOCK_UNSUPPORTED',
    'the policy has no locks: say in spec.locks who grants them',
  );

/** holdfast.v1.LockReleased. */
const released = new Encoded(Buffer.alloc(0));
const defaultListed = 100;
const mostListed = 1_000;
/** Label of metrics. Names of locks are the callers'. */
const target = (): string => 'locks';

/** Everything of service Locks. */
export function lockOperations({
  clock,
  locks,
}: LockParts): Pick<OperationTable, 'unary' | 'streams'> {
  const acquired = (request: AcquireRequest__Output, call: Call, isKept: boolean) => {
    const { grants, limits } = locks();
    return grants.acquire(lockRequest(request, limits), call, isKept);
  };

  const acquire: Operation<AcquireRequest__Output, Encoded> = {
    name: 'Locks.Acquire',
    frame: 'acquire',
    target,
    handle: async (request, call) => {
      const { scope } = call;
      const grant = await acquired(request, call, scope.outlivesCall === true);
      grant.onLost((loss) => scope.push('lockLost', lostMessage(grant, loss)));
      return encodedGrant(grant, clock.now());
    },
  };

  const renew: Operation<RenewRequest__Output, Renewed> = {
    name: 'Locks.Renew',
    frame: 'renew',
    target,
    exempt: true,
    handle: async ({ leaseId }) => ({ ttlMs: Math.round(await locks().grants.renew(leaseId)) }),
  };

  const release: Operation<ReleaseLockRequest__Output, Encoded> = {
    name: 'Locks.Release',
    frame: 'releaseLock',
    target,
    exempt: true,
    uncancellable: true,
    handle: async ({ leaseId }) => {
      await locks().grants.release(leaseId);
      return released;
    },
  };

  const hold: StreamOperation<AcquireRequest__Output, HoldEvent> = {
    name: 'Locks.Hold',
    target,
    handle: async (request, call, send) => {
      const grant = await acquired(request, call, true);
      const over = new Promise<Loss | undefined>((resolve) => {
        grant.onLost(resolve);
        call.onEnd(() => resolve(undefined));
      });
      await send({ granted: grantMessage(grant, clock.now()) });
      const loss = await over;
      call.throwIfEnded();
      if (loss !== undefined) await send({ lost: lostMessage(grant, loss) });
    },
  };

  const list: Operation<ListLocksRequest__Output, LockList> = {
    name: 'Locks.List',
    frame: 'listLocks',
    target,
    handle: async ({ prefix, limit }, call) => {
      if (limit > mostListed) throw invalid(`limit is ${limit}, more than ${mostListed}`);
      const most = limit === 0 ? defaultListed : limit;
      const readings = await locks().authority.list(prefix, most + 1, call);
      return {
        locks: readings.slice(0, most).map(stateMessage),
        truncated: readings.length > most,
      };
    },
  };

  const force: Operation<ForceReleaseRequest__Output, ForceReleased> = {
    name: 'Locks.ForceRelease',
    frame: 'forceRelease',
    target,
    handle: async ({ name }, call) => ({
      holders: await locks().authority.forceRelease(lockName(name), call),
    }),
  };

  return { unary: [acquire, renew, release, list, force], streams: [hold] };
}

const grantMessage = (grant: HeldGrant, nowMs: number): Grant => ({
  leaseId: grant.leaseId,
  locks: grant.locks.map(({ claim, token, fence }) => ({
    name: claim.name,
    token: String(fence ?? token),
  })),
  ttlMs: leftMs(grant, nowMs),
  maxHoldMs: grant.request.maxHoldMs,
});

const reasons: Readonly<Record<Loss, NonNullable<LockLost['reason']>>> = {
  expired: 'LOSS_REASON_EXPIRED',
  forced: 'LOSS_REASON_FORCED',
  'held too long': 'LOSS_REASON_HELD_TOO_LONG',
};

const lostMessage = ({ leaseId, request }: HeldGrant, loss: Loss): LockLost => ({
  leaseId,
  names: [...request.names],
  reason: reasons[loss],
});

const modes: Readonly<Record<LockMode, NonNullable<LockState['mode']>>> = {
  exclusive: 'LOCK_MODE_EXCLUSIVE',
  shared: 'LOCK_MODE_SHARED',
  semaphore: 'LOCK_MODE_SEMAPHORE',
};

const stateMessage = ({ name, mode, holders, waiting }: LockReading): LockState => ({
  name,
  mode: modes[mode],
  waiting,
  holders: holders.map(({ owner, token, expiresInMs, count }) => ({
    owner,
    token: String(token),
    expiresInMs: Math.max(0, Math.round(expiresInMs)),
    count,
  })),
});
