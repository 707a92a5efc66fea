import { HoldfastError } from '../../../platform/errors.ts';

/** Most times that one owner holds one lock. */
const mostGrants = 1_000;
const longestRetryMs = 1_000;

/** What is known of a lock that somebody else has. */
interface HeldReading {
  readonly waiting: number;
  /** When time alone may free it. */
  readonly freeInMs: number;
}

export const lockHeld = (
  name: string,
  target: string,
  { waiting, freeInMs }: HeldReading = { waiting: 0, freeInMs: longestRetryMs },
): HoldfastError =>
  new HoldfastError('conflict', 'LOCK_HELD', `lock "${name}" is held`, {
    target,
    retryAfterMs: Math.min(longestRetryMs, Math.max(1, freeInMs)),
    metadata: { queue_length: String(waiting) },
  });

export const otherMode = (name: string, target: string): HoldfastError =>
  new HoldfastError(
    'conflict',
    'LOCK_HELD',
    `lock "${name}" is held by the same owner in another mode, and would wait for itself`,
    { target, metadata: { queue_length: '0' } },
  );

export const heldTooOften = (name: string, target: string): HoldfastError =>
  new HoldfastError(
    'conflict',
    'LOCK_HELD',
    `lock "${name}" is held ${mostGrants} times by the same owner, which is the most`,
    { target, metadata: { queue_length: '0' } },
  );

export const locksSettling = (leftMs: number, target: string): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'LOCKS_SETTLING',
    `Redis "${target}" has started, has become the master, or is new to locks: it grants none before all that was granted before must have ended`,
    { target, retryAfterMs: leftMs },
  );

export const unsupportedRedis = (why: string, target: string): HoldfastError =>
  new HoldfastError(
    'precondition',
    'LOCK_UNSUPPORTED',
    `Redis "${target}" cannot grant locks: ${why}`,
    { target },
  );
