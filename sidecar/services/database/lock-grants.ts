import type { HoldfastError } from '../../../platform/errors.ts';
import type { Begin__Output } from '../../../platform/gen/holdfast/v1/Begin.ts';
import type { Fence } from '../../postgres/fence-check.ts';
import type { Transaction } from '../../postgres/transaction.ts';
import { invalid } from './statement-values.ts';

/** What transactions need of locks; `app.ts` fills it. */
export interface LockGrants {
  /** The fences of leases, for a transaction on this pool. Throws INVALID_REQUEST, UNKNOWN_LEASE, LOCK_LOST. */
  fencesOf(leaseIds: readonly string[], pool: string): readonly Fence[];
  /** Calls back when one of them is lost; the result takes the listener off again. */
  onLost(leaseIds: readonly string[], listener: (reason: HoldfastError) => void): () => void;
}

const mostLocks = 16;

/** The fences of the locks that a Begin names, each lock once. Throws as `fencesOf` does. */
export function fencesOf(
  { locks, readOnly }: Begin__Output,
  pool: string,
  grants: LockGrants,
): readonly Fence[] {
  if (locks.length === 0) return [];
  if (locks.length > mostLocks) {
    throw invalid(`locks has ${locks.length} entries; at most ${mostLocks}`);
  }
  if (readOnly) {
    throw invalid(
      'locks with read_only: checking a fence takes row locks, which are refused there',
    );
  }
  const fences = new Map(grants.fencesOf(locks, pool).map((fence) => [fence.lock, fence]));
  return [...fences.values()];
}

/** Rolls the transaction back when one of its locks is lost; the result ends that. */
export function endWithLocks(
  { locks }: Begin__Output,
  transaction: Transaction,
  grants: LockGrants,
): () => void {
  if (locks.length === 0) return () => {};
  return grants.onLost(locks, (reason) => transaction.abort(reason));
}
