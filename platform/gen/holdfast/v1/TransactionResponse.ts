// Original file: proto/holdfast/v1/database.proto

import type { Begun as _holdfast_v1_Begun, Begun__Output as _holdfast_v1_Begun__Output } from '../../holdfast/v1/Begun.ts';
import type { QueryResult as _holdfast_v1_QueryResult, QueryResult__Output as _holdfast_v1_QueryResult__Output } from '../../holdfast/v1/QueryResult.ts';
import type { BatchResult as _holdfast_v1_BatchResult, BatchResult__Output as _holdfast_v1_BatchResult__Output } from '../../holdfast/v1/BatchResult.ts';
import type { SavepointDone as _holdfast_v1_SavepointDone, SavepointDone__Output as _holdfast_v1_SavepointDone__Output } from '../../holdfast/v1/SavepointDone.ts';
import type { Committed as _holdfast_v1_Committed, Committed__Output as _holdfast_v1_Committed__Output } from '../../holdfast/v1/Committed.ts';
import type { RolledBack as _holdfast_v1_RolledBack, RolledBack__Output as _holdfast_v1_RolledBack__Output } from '../../holdfast/v1/RolledBack.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

export interface TransactionResponse {
  'begun'?: (_holdfast_v1_Begun | null);
  'query'?: (_holdfast_v1_QueryResult | null);
  'batch'?: (_holdfast_v1_BatchResult | null);
  'savepoint'?: (_holdfast_v1_SavepointDone | null);
  'fetch'?: (_holdfast_v1_QueryResult | null);
  'committed'?: (_holdfast_v1_Committed | null);
  'rolledBack'?: (_holdfast_v1_RolledBack | null);
  /**
   * What failed. After a failed statement PostgreSQL refuses everything (SQLSTATE 25P02) until a savepoint is rolled
   * back to, or the transaction ends.
   */
  'error'?: (_google_rpc_Status | null);
  'response'?: "begun"|"query"|"batch"|"savepoint"|"fetch"|"committed"|"rolledBack"|"error";
}

export interface TransactionResponse__Output {
  'begun'?: (_holdfast_v1_Begun__Output | null);
  'query'?: (_holdfast_v1_QueryResult__Output | null);
  'batch'?: (_holdfast_v1_BatchResult__Output | null);
  'savepoint'?: (_holdfast_v1_SavepointDone__Output | null);
  'fetch'?: (_holdfast_v1_QueryResult__Output | null);
  'committed'?: (_holdfast_v1_Committed__Output | null);
  'rolledBack'?: (_holdfast_v1_RolledBack__Output | null);
  /**
   * What failed. After a failed statement PostgreSQL refuses everything (SQLSTATE 25P02) until a savepoint is rolled
   * back to, or the transaction ends.
   */
  'error'?: (_google_rpc_Status__Output | null);
  'response'?: "begun"|"query"|"batch"|"savepoint"|"fetch"|"committed"|"rolledBack"|"error";
}
