// Original file: proto/holdfast/v1/locks.proto

import type { LockMode as _holdfast_v1_LockMode, LockMode__Output as _holdfast_v1_LockMode__Output } from '../../holdfast/v1/LockMode.ts';
import type { LockHolder as _holdfast_v1_LockHolder, LockHolder__Output as _holdfast_v1_LockHolder__Output } from '../../holdfast/v1/LockHolder.ts';

export interface LockState {
  'name'?: (string);
  'mode'?: (_holdfast_v1_LockMode);
  'holders'?: (_holdfast_v1_LockHolder)[];
  'waiting'?: (number);
}

export interface LockState__Output {
  'name': (string);
  'mode': (_holdfast_v1_LockMode__Output);
  'holders': (_holdfast_v1_LockHolder__Output)[];
  'waiting': (number);
}
