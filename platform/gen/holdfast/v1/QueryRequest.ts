// Original file: proto/holdfast/v1/database.proto

import type { Value as _holdfast_v1_Value, Value__Output as _holdfast_v1_Value__Output } from '../../holdfast/v1/Value.ts';

export interface QueryRequest {
  /**
   * One statement; see Statement.sql.
   */
  'sql'?: (string);
  /**
   * Values of `$1`, `$2` …
   */
  'params'?: (_holdfast_v1_Value)[];
  /**
   * Which pool of the policy; empty is `default`. Inside a transaction it has to be empty or the transaction's own.
   */
  'pool'?: (string);
  /**
   * The caller's word that running this statement twice does no harm. Only then may it be retried after a failure that
   * leaves open whether it ran. Statements that only read need no such word.
   */
  'idempotent'?: (boolean);
  /**
   * Makes the outcome known for ever: see Outcome. 1 to 128 bytes, chosen by the caller, another one for each piece of work; empty for none. The
   * statement runs in a transaction with the mark. Of two pieces of work with the same id at most one is committed; the other fails with
   * `COMMIT_ID_USED`. Not inside a transaction: there it belongs to Begin.
   */
  'commitId'?: (string);
}

export interface QueryRequest__Output {
  /**
   * One statement; see Statement.sql.
   */
  'sql': (string);
  /**
   * Values of `$1`, `$2` …
   */
  'params': (_holdfast_v1_Value__Output)[];
  /**
   * Which pool of the policy; empty is `default`. Inside a transaction it has to be empty or the transaction's own.
   */
  'pool': (string);
  /**
   * The caller's word that running this statement twice does no harm. Only then may it be retried after a failure that
   * leaves open whether it ran. Statements that only read need no such word.
   */
  'idempotent': (boolean);
  /**
   * Makes the outcome known for ever: see Outcome. 1 to 128 bytes, chosen by the caller, another one for each piece of work; empty for none. The
   * statement runs in a transaction with the mark. Of two pieces of work with the same id at most one is committed; the other fails with
   * `COMMIT_ID_USED`. Not inside a transaction: there it belongs to Begin.
   */
  'commitId': (string);
}
