// Original file: proto/holdfast/v1/session.proto

import type { Long } from '@grpc/proto-loader';

/**
 * What the sidecar allows in this session. Frames beyond it are refused one by one with reason `SESSION_LIMIT`; Commit, Rollback,
 * Savepoint, Cancel, Exit, Settle, Release and ReleaseLock never are.
 */
export interface SessionInfo {
  /**
   * Calls without a final answer yet.
   */
  'maxInFlight'?: (number);
  /**
   * Bytes of requests without a final answer yet.
   */
  'maxInFlightBytes'?: (number | string | Long);
  /**
   * Bytes of one message, either way.
   */
  'maxMessageBytes'?: (number);
  /**
   * A client that takes nothing for so long, while answers wait for it, loses its session.
   */
  'stallMs'?: (number);
  /**
   * Of the sidecar, e.g. `0.1.0`.
   */
  'version'?: (string);
}

/**
 * What the sidecar allows in this session. Frames beyond it are refused one by one with reason `SESSION_LIMIT`; Commit, Rollback,
 * Savepoint, Cancel, Exit, Settle, Release and ReleaseLock never are.
 */
export interface SessionInfo__Output {
  /**
   * Calls without a final answer yet.
   */
  'maxInFlight': (number);
  /**
   * Bytes of requests without a final answer yet.
   */
  'maxInFlightBytes': (string);
  /**
   * Bytes of one message, either way.
   */
  'maxMessageBytes': (number);
  /**
   * A client that takes nothing for so long, while answers wait for it, loses its session.
   */
  'stallMs': (number);
  /**
   * Of the sidecar, e.g. `0.1.0`.
   */
  'version': (string);
}
