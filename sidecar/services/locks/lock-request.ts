import type { AcquireRequest__Output } from '../../../platform/gen/holdfast/v1/AcquireRequest.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { LockMode } from './authority.ts';

/** What the policy says of locks. */
export interface LockLimits {
  /** Time to live of who asks for none, and the most. */
  readonly ttlMs: number;
  readonly maxHoldMs: number;
}

/** An Acquire, checked and with its defaults. */
export interface LockRequest {
  /** Different ones, in byte order: whoever wants several takes them in the same order as everybody else. */
  readonly names: readonly string[];
  readonly mode: LockMode;
  readonly permits: number;
  readonly ttlMs: number;
  /** Undefined: until the call's deadline. */
  readonly waitMs: number | undefined;
  /** Empty: somebody else than everyone. */
  readonly owner: string;
  /** Pool of the database that is protected; undefined for none. */
  readonly fence: string | undefined;
  readonly maxHoldMs: number;
}

const mostNames = 16;
const mostNameBytes = 200;
const leastTtlMs = 100;
const mostPermits = 100_000;
const longestWaitMs = 86_400_000;

const modes: Readonly<Record<string, LockMode>> = {
  LOCK_MODE_UNSPECIFIED: 'exclusive',
  LOCK_MODE_EXCLUSIVE: 'exclusive',
  LOCK_MODE_SHARED: 'shared',
  LOCK_MODE_SEMAPHORE: 'semaphore',
};

/** Throws INVALID_REQUEST. */
export function lockRequest(request: AcquireRequest__Output, limits: LockLimits): LockRequest {
  const { owner, fence, permits } = request;
  const mode = modes[request.mode];
  if (mode === undefined) throw invalid('mode is none that this sidecar knows');
  const names = namesOf(request.names);
  if (Buffer.byteLength(owner) > mostNameBytes) {
    throw invalid(`owner is longer than ${mostNameBytes} bytes`);
  }
  if (mode === 'semaphore') {
    if (permits < 1 || permits > mostPermits) {
      throw invalid(`permits is ${permits}; a semaphore has 1 to ${mostPermits}`);
    }
    if (fence !== '') {
      throw invalid('a semaphore has many holders and so no fence: leave fence empty');
    }
  } else if (permits > 1) throw invalid('permits is for semaphores: set mode, or leave it out');
  const ttlMs = within('ttl_ms', request.ttlMs, leastTtlMs, limits.ttlMs, 'ttlMs');
  const maxHoldMs = within('max_hold_ms', request.maxHoldMs, 1, limits.maxHoldMs, 'maxHoldMs');
  const waitMs = request._waitMs === undefined ? undefined : request.waitMs;
  if (waitMs !== undefined && waitMs > longestWaitMs) throw invalid('wait_ms is more than a day');
  return {
    names,
    mode,
    permits: mode === 'semaphore' ? permits : 1,
    ttlMs,
    waitMs,
    owner,
    fence: fence === '' ? undefined : fence,
    maxHoldMs,
  };
}

/** A name of a lock. Throws INVALID_REQUEST. */
export function lockName(name: string): string {
  if (name === '') throw invalid('a lock has no name');
  if (Buffer.byteLength(name) > mostNameBytes) {
    throw invalid(`the name of a lock is longer than ${mostNameBytes} bytes`);
  }
  if (name.includes('\0')) throw invalid('the name of a lock contains the character U+0000');
  return name;
}

function namesOf(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw invalid('names is empty');
  if (names.length > mostNames) {
    throw invalid(`names has ${names.length} entries; at most ${mostNames}`);
  }
  if (names.length === 1) return [lockName(names[0] as string)];
  if (new Set(names).size < names.length) throw invalid('names has one of them twice');
  return names.map(lockName).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function within(field: string, asked: number, least: number, most: number, of: string): number {
  if (asked === 0) return most;
  if (asked >= least && asked <= most) return asked;
  throw invalid(`${field} is ${asked}; it is ${least} to ${most} (${of} of the policy)`);
}

export const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);
