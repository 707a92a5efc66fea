// Original file: proto/holdfast/v1/locks.proto

import type { LockState as _holdfast_v1_LockState, LockState__Output as _holdfast_v1_LockState__Output } from '../../holdfast/v1/LockState.ts';

export interface LockList {
  'locks'?: (_holdfast_v1_LockState)[];
  /**
   * There are more.
   */
  'truncated'?: (boolean);
}

export interface LockList__Output {
  'locks': (_holdfast_v1_LockState__Output)[];
  /**
   * There are more.
   */
  'truncated': (boolean);
}
