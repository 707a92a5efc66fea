// Original file: proto/holdfast/v1/database.proto

import type { Begin as _holdfast_v1_Begin, Begin__Output as _holdfast_v1_Begin__Output } from '../../holdfast/v1/Begin.ts';
import type { QueryRequest as _holdfast_v1_QueryRequest, QueryRequest__Output as _holdfast_v1_QueryRequest__Output } from '../../holdfast/v1/QueryRequest.ts';
import type { BatchRequest as _holdfast_v1_BatchRequest, BatchRequest__Output as _holdfast_v1_BatchRequest__Output } from '../../holdfast/v1/BatchRequest.ts';
import type { Savepoint as _holdfast_v1_Savepoint, Savepoint__Output as _holdfast_v1_Savepoint__Output } from '../../holdfast/v1/Savepoint.ts';
import type { Fetch as _holdfast_v1_Fetch, Fetch__Output as _holdfast_v1_Fetch__Output } from '../../holdfast/v1/Fetch.ts';
import type { Commit as _holdfast_v1_Commit, Commit__Output as _holdfast_v1_Commit__Output } from '../../holdfast/v1/Commit.ts';
import type { Rollback as _holdfast_v1_Rollback, Rollback__Output as _holdfast_v1_Rollback__Output } from '../../holdfast/v1/Rollback.ts';

export interface TransactionRequest {
  /**
   * First, and only once.
   */
  'begin'?: (_holdfast_v1_Begin | null);
  'query'?: (_holdfast_v1_QueryRequest | null);
  /**
   * Runs as part of the transaction; `atomic` has no meaning here. The first error ends it.
   */
  'batch'?: (_holdfast_v1_BatchRequest | null);
  'savepoint'?: (_holdfast_v1_Savepoint | null);
  'fetch'?: (_holdfast_v1_Fetch | null);
  'commit'?: (_holdfast_v1_Commit | null);
  'rollback'?: (_holdfast_v1_Rollback | null);
  'request'?: "begin"|"query"|"batch"|"savepoint"|"fetch"|"commit"|"rollback";
}

export interface TransactionRequest__Output {
  /**
   * First, and only once.
   */
  'begin'?: (_holdfast_v1_Begin__Output | null);
  'query'?: (_holdfast_v1_QueryRequest__Output | null);
  /**
   * Runs as part of the transaction; `atomic` has no meaning here. The first error ends it.
   */
  'batch'?: (_holdfast_v1_BatchRequest__Output | null);
  'savepoint'?: (_holdfast_v1_Savepoint__Output | null);
  'fetch'?: (_holdfast_v1_Fetch__Output | null);
  'commit'?: (_holdfast_v1_Commit__Output | null);
  'rollback'?: (_holdfast_v1_Rollback__Output | null);
  'request'?: "begin"|"query"|"batch"|"savepoint"|"fetch"|"commit"|"rollback";
}
