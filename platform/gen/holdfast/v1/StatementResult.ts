// Original file: proto/holdfast/v1/database.proto

import type { QueryResult as _holdfast_v1_QueryResult, QueryResult__Output as _holdfast_v1_QueryResult__Output } from '../../holdfast/v1/QueryResult.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

export interface StatementResult {
  'result'?: (_holdfast_v1_QueryResult | null);
  /**
   * Only in a batch that is not atomic.
   */
  'error'?: (_google_rpc_Status | null);
  'outcome'?: "result"|"error";
}

export interface StatementResult__Output {
  'result'?: (_holdfast_v1_QueryResult__Output | null);
  /**
   * Only in a batch that is not atomic.
   */
  'error'?: (_google_rpc_Status__Output | null);
  'outcome'?: "result"|"error";
}
