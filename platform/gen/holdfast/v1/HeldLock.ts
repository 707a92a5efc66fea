// Original file: proto/holdfast/v1/locks.proto

import type { Long } from '@grpc/proto-loader';

export interface HeldLock {
  'name'?: (string);
  /**
   * Larger than that of every earlier holder of the same name; 0 for semaphores.
   */
  'token'?: (number | string | Long);
}

export interface HeldLock__Output {
  'name': (string);
  /**
   * Larger than that of every earlier holder of the same name; 0 for semaphores.
   */
  'token': (string);
}
