// Original file: proto/holdfast/v1/database.proto

import type { Value as _holdfast_v1_Value, Value__Output as _holdfast_v1_Value__Output } from '../../holdfast/v1/Value.ts';

/**
 * One SQL statement with its parameters.
 */
export interface Statement {
  /**
   * One statement of SQL, with `$1`, `$2` … for parameters; at most 1 MiB. BEGIN, COMMIT, ROLLBACK, SAVEPOINT, PREPARE TRANSACTION and COPY are
   * refused (reason `STATEMENT_REFUSED`): transactions have their own calls.
   */
  'sql'?: (string);
  /**
   * Values of `$1`, `$2` …; at most 65,535.
   */
  'params'?: (_holdfast_v1_Value)[];
}

/**
 * One SQL statement with its parameters.
 */
export interface Statement__Output {
  /**
   * One statement of SQL, with `$1`, `$2` … for parameters; at most 1 MiB. BEGIN, COMMIT, ROLLBACK, SAVEPOINT, PREPARE TRANSACTION and COPY are
   * refused (reason `STATEMENT_REFUSED`): transactions have their own calls.
   */
  'sql': (string);
  /**
   * Values of `$1`, `$2` …; at most 65,535.
   */
  'params': (_holdfast_v1_Value__Output)[];
}
