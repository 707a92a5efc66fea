// Original file: proto/holdfast/v1/locks.proto

import type { Grant as _holdfast_v1_Grant, Grant__Output as _holdfast_v1_Grant__Output } from '../../holdfast/v1/Grant.ts';
import type { LockLost as _holdfast_v1_LockLost, LockLost__Output as _holdfast_v1_LockLost__Output } from '../../holdfast/v1/LockLost.ts';

export interface HoldEvent {
  'granted'?: (_holdfast_v1_Grant | null);
  /**
   * The last one.
   */
  'lost'?: (_holdfast_v1_LockLost | null);
  'event'?: "granted"|"lost";
}

export interface HoldEvent__Output {
  'granted'?: (_holdfast_v1_Grant__Output | null);
  /**
   * The last one.
   */
  'lost'?: (_holdfast_v1_LockLost__Output | null);
  'event'?: "granted"|"lost";
}
