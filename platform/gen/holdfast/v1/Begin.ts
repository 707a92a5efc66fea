// Original file: proto/holdfast/v1/database.proto

import type { Isolation as _holdfast_v1_Isolation, Isolation__Output as _holdfast_v1_Isolation__Output } from '../../holdfast/v1/Isolation.ts';

/**
 * Starts a transaction: takes a connection of the pool for it. BEGIN travels with the first statement, so a transaction
 * that is begun and left idle holds no snapshot.
 */
export interface Begin {
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool'?: (string);
  'isolation'?: (_holdfast_v1_Isolation);
  'readOnly'?: (boolean);
  /**
   * With SERIALIZABLE and read_only: waits for a snapshot that cannot fail. Refused with anything else.
   */
  'deferrable'?: (boolean);
  /**
   * Longest life of the transaction in ms; 0 is the pool's `transactionTimeoutMs`, which is also the most.
   */
  'timeoutMs'?: (number);
  /**
   * Longest pause between two statements in ms; 0 is the pool's `idleInTransactionTimeoutMs`, which is also the most.
   */
  'idleTimeoutMs'?: (number);
  /**
   * As in QueryRequest, for the whole transaction. Refused with `read_only`.
   */
  'commitId'?: (string);
  /**
   * Leases of locks that were acquired with `fence` of this pool: the transaction is only committed while no later holder of any of them has been
   * granted (`FENCED`), and is rolled back as soon as one is lost (`LOCK_LOST`). Refused with `read_only`. At most 16.
   */
  'locks'?: (string)[];
}

/**
 * Starts a transaction: takes a connection of the pool for it. BEGIN travels with the first statement, so a transaction
 * that is begun and left idle holds no snapshot.
 */
export interface Begin__Output {
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool': (string);
  'isolation': (_holdfast_v1_Isolation__Output);
  'readOnly': (boolean);
  /**
   * With SERIALIZABLE and read_only: waits for a snapshot that cannot fail. Refused with anything else.
   */
  'deferrable': (boolean);
  /**
   * Longest life of the transaction in ms; 0 is the pool's `transactionTimeoutMs`, which is also the most.
   */
  'timeoutMs': (number);
  /**
   * Longest pause between two statements in ms; 0 is the pool's `idleInTransactionTimeoutMs`, which is also the most.
   */
  'idleTimeoutMs': (number);
  /**
   * As in QueryRequest, for the whole transaction. Refused with `read_only`.
   */
  'commitId': (string);
  /**
   * Leases of locks that were acquired with `fence` of this pool: the transaction is only committed while no later holder of any of them has been
   * granted (`FENCED`), and is rolled back as soon as one is lost (`LOCK_LOST`). Refused with `read_only`. At most 16.
   */
  'locks': (string)[];
}
