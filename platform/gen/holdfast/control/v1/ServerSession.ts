// Original file: proto/holdfast/control/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

/**
 * By what SQL cannot change.
 */
export interface ServerSession {
  'address'?: (string);
  'port'?: (number);
  /**
   * backend_start, in microseconds since 1970 on the server's clock.
   */
  'startedUs'?: (number | string | Long);
}

/**
 * By what SQL cannot change.
 */
export interface ServerSession__Output {
  'address': (string);
  'port': (number);
  /**
   * backend_start, in microseconds since 1970 on the server's clock.
   */
  'startedUs': (string);
}
