// Original file: proto/holdfast/v1/database.proto

import type { Statement as _holdfast_v1_Statement, Statement__Output as _holdfast_v1_Statement__Output } from '../../holdfast/v1/Statement.ts';

export interface BatchRequest {
  /**
   * At most 1,000.
   */
  'statements'?: (_holdfast_v1_Statement)[];
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * True: all or nothing, in one transaction; the first error fails the call. False: each statement commits by itself,
   * in order, and one that fails does not stop those after it.
   */
  'atomic'?: (boolean);
  /**
   * As in QueryRequest, for an atomic batch as a whole.
   */
  'idempotent'?: (boolean);
  /**
   * As in QueryRequest. Needs `atomic`.
   */
  'commitId'?: (string);
}

export interface BatchRequest__Output {
  /**
   * At most 1,000.
   */
  'statements': (_holdfast_v1_Statement__Output)[];
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * True: all or nothing, in one transaction; the first error fails the call. False: each statement commits by itself,
   * in order, and one that fails does not stop those after it.
   */
  'atomic': (boolean);
  /**
   * As in QueryRequest, for an atomic batch as a whole.
   */
  'idempotent': (boolean);
  /**
   * As in QueryRequest. Needs `atomic`.
   */
  'commitId': (string);
}
