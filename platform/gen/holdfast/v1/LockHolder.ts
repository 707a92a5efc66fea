// Original file: proto/holdfast/v1/locks.proto

import type { Long } from '@grpc/proto-loader';

export interface LockHolder {
  /**
   * As the holder gave it; empty when it gave none.
   */
  'owner'?: (string);
  'token'?: (number | string | Long);
  /**
   * Until its time to live is over.
   */
  'expiresInMs'?: (number);
  /**
   * How often the owner holds it.
   */
  'count'?: (number);
}

export interface LockHolder__Output {
  /**
   * As the holder gave it; empty when it gave none.
   */
  'owner': (string);
  'token': (string);
  /**
   * Until its time to live is over.
   */
  'expiresInMs': (number);
  /**
   * How often the owner holds it.
   */
  'count': (number);
}
