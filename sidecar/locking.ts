import { HoldfastError } from '../platform/errors.ts';
import type { LockGrants } from './services/database/lock-grants.ts';
import type { Locks } from './services/locks/operations.ts';

/** What transactions need of locks, where the policy has some. */
export const grantsOf = (locks: () => Locks | undefined): LockGrants => {
  const grants = (): LockGrants => {
    const there = locks();
    if (there !== undefined) return there.grants;
    throw new HoldfastError(
      'precondition',
      'LOCK_UNSUPPORTED',
      'the policy has no locks: say in spec.locks who grants them',
    );
  };
  return {
    fencesOf: (leaseIds, pool) => grants().fencesOf(leaseIds, pool),
    onLost: (leaseIds, listener) => grants().onLost(leaseIds, listener),
  };
};
