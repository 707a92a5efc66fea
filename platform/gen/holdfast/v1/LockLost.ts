// Original file: proto/holdfast/v1/locks.proto

import type { LossReason as _holdfast_v1_LossReason, LossReason__Output as _holdfast_v1_LossReason__Output } from '../../holdfast/v1/LossReason.ts';

/**
 * All locks of the grant are lost with one of them. In a session pushed with id 0.
 */
export interface LockLost {
  'leaseId'?: (string);
  'names'?: (string)[];
  'reason'?: (_holdfast_v1_LossReason);
}

/**
 * All locks of the grant are lost with one of them. In a session pushed with id 0.
 */
export interface LockLost__Output {
  'leaseId': (string);
  'names': (string)[];
  'reason': (_holdfast_v1_LossReason__Output);
}
