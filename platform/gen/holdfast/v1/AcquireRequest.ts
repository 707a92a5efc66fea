// Original file: proto/holdfast/v1/locks.proto

import type { LockMode as _holdfast_v1_LockMode, LockMode__Output as _holdfast_v1_LockMode__Output } from '../../holdfast/v1/LockMode.ts';

export interface AcquireRequest {
  /**
   * 1 to 16 different ones, 1 to 200 bytes each. All or none, taken in byte order, so that two callers cannot wait for each other.
   */
  'names'?: (string)[];
  'mode'?: (_holdfast_v1_LockMode);
  /**
   * Of a semaphore: most holders at once, 1 to 100,000; all callers should say the same.
   */
  'permits'?: (number);
  /**
   * Time to live, 100 ms to an hour; 0 is the policy's `ttlMs`, which is also the most.
   */
  'ttlMs'?: (number);
  /**
   * How long to wait for it; absent is until the call's deadline, 0 is not at all.
   */
  'waitMs'?: (number);
  /**
   * Who asks, at most 200 bytes. The same owner gets the lock again while it holds it, with the same token; it is free after as many releases. Empty:
   * every request is somebody else.
   */
  'owner'?: (string);
  /**
   * The PostgreSQL pool of the database that the lock protects: the fencing token is drawn there, and transactions on it may name the lock (`Begin.locks`).
   * Empty: the token is the authority's.
   */
  'fence'?: (string);
  /**
   * Longest time it is held, renewed or not; 0 is the policy's `maxHoldMs`, which is also the most.
   */
  'maxHoldMs'?: (number);
  '_waitMs'?: "waitMs";
}

export interface AcquireRequest__Output {
  /**
   * 1 to 16 different ones, 1 to 200 bytes each. All or none, taken in byte order, so that two callers cannot wait for each other.
   */
  'names': (string)[];
  'mode': (_holdfast_v1_LockMode__Output);
  /**
   * Of a semaphore: most holders at once, 1 to 100,000; all callers should say the same.
   */
  'permits': (number);
  /**
   * Time to live, 100 ms to an hour; 0 is the policy's `ttlMs`, which is also the most.
   */
  'ttlMs': (number);
  /**
   * How long to wait for it; absent is until the call's deadline, 0 is not at all.
   */
  'waitMs'?: (number);
  /**
   * Who asks, at most 200 bytes. The same owner gets the lock again while it holds it, with the same token; it is free after as many releases. Empty:
   * every request is somebody else.
   */
  'owner': (string);
  /**
   * The PostgreSQL pool of the database that the lock protects: the fencing token is drawn there, and transactions on it may name the lock (`Begin.locks`).
   * Empty: the token is the authority's.
   */
  'fence': (string);
  /**
   * Longest time it is held, renewed or not; 0 is the policy's `maxHoldMs`, which is also the most.
   */
  'maxHoldMs': (number);
  '_waitMs'?: "waitMs";
}
