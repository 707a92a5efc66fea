// Original file: proto/holdfast/v1/locks.proto

import type { HeldLock as _holdfast_v1_HeldLock, HeldLock__Output as _holdfast_v1_HeldLock__Output } from '../../holdfast/v1/HeldLock.ts';

export interface Grant {
  /**
   * Names the grant in Renew, Release and `Begin.locks`. Unguessable.
   */
  'leaseId'?: (string);
  /**
   * In byte order of their names.
   */
  'locks'?: (_holdfast_v1_HeldLock)[];
  /**
   * What is left of its time to live.
   */
  'ttlMs'?: (number);
  'maxHoldMs'?: (number);
}

export interface Grant__Output {
  /**
   * Names the grant in Renew, Release and `Begin.locks`. Unguessable.
   */
  'leaseId': (string);
  /**
   * In byte order of their names.
   */
  'locks': (_holdfast_v1_HeldLock__Output)[];
  /**
   * What is left of its time to live.
   */
  'ttlMs': (number);
  'maxHoldMs': (number);
}
