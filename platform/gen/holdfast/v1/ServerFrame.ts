// Original file: proto/holdfast/v1/session.proto

import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';
import type { SessionInfo as _holdfast_v1_SessionInfo, SessionInfo__Output as _holdfast_v1_SessionInfo__Output } from '../../holdfast/v1/SessionInfo.ts';
import type { TransactionEnded as _holdfast_v1_TransactionEnded, TransactionEnded__Output as _holdfast_v1_TransactionEnded__Output } from '../../holdfast/v1/TransactionEnded.ts';
import type { QueryResult as _holdfast_v1_QueryResult, QueryResult__Output as _holdfast_v1_QueryResult__Output } from '../../holdfast/v1/QueryResult.ts';
import type { BatchResult as _holdfast_v1_BatchResult, BatchResult__Output as _holdfast_v1_BatchResult__Output } from '../../holdfast/v1/BatchResult.ts';
import type { RedisReply as _holdfast_v1_RedisReply, RedisReply__Output as _holdfast_v1_RedisReply__Output } from '../../holdfast/v1/RedisReply.ts';
import type { PipelineReply as _holdfast_v1_PipelineReply, PipelineReply__Output as _holdfast_v1_PipelineReply__Output } from '../../holdfast/v1/PipelineReply.ts';
import type { Draining as _holdfast_v1_Draining, Draining__Output as _holdfast_v1_Draining__Output } from '../../holdfast/v1/Draining.ts';
import type { LockLost as _holdfast_v1_LockLost, LockLost__Output as _holdfast_v1_LockLost__Output } from '../../holdfast/v1/LockLost.ts';
import type { Cancelled as _holdfast_v1_Cancelled, Cancelled__Output as _holdfast_v1_Cancelled__Output } from '../../holdfast/v1/Cancelled.ts';
import type { Begun as _holdfast_v1_Begun, Begun__Output as _holdfast_v1_Begun__Output } from '../../holdfast/v1/Begun.ts';
import type { Committed as _holdfast_v1_Committed, Committed__Output as _holdfast_v1_Committed__Output } from '../../holdfast/v1/Committed.ts';
import type { RolledBack as _holdfast_v1_RolledBack, RolledBack__Output as _holdfast_v1_RolledBack__Output } from '../../holdfast/v1/RolledBack.ts';
import type { SavepointDone as _holdfast_v1_SavepointDone, SavepointDone__Output as _holdfast_v1_SavepointDone__Output } from '../../holdfast/v1/SavepointDone.ts';
import type { PageResult as _holdfast_v1_PageResult, PageResult__Output as _holdfast_v1_PageResult__Output } from '../../holdfast/v1/PageResult.ts';
import type { OutcomeResult as _holdfast_v1_OutcomeResult, OutcomeResult__Output as _holdfast_v1_OutcomeResult__Output } from '../../holdfast/v1/OutcomeResult.ts';
import type { PublishReply as _holdfast_v1_PublishReply, PublishReply__Output as _holdfast_v1_PublishReply__Output } from '../../holdfast/v1/PublishReply.ts';
import type { Grant as _holdfast_v1_Grant, Grant__Output as _holdfast_v1_Grant__Output } from '../../holdfast/v1/Grant.ts';
import type { Renewed as _holdfast_v1_Renewed, Renewed__Output as _holdfast_v1_Renewed__Output } from '../../holdfast/v1/Renewed.ts';
import type { LockReleased as _holdfast_v1_LockReleased, LockReleased__Output as _holdfast_v1_LockReleased__Output } from '../../holdfast/v1/LockReleased.ts';
import type { LockList as _holdfast_v1_LockList, LockList__Output as _holdfast_v1_LockList__Output } from '../../holdfast/v1/LockList.ts';
import type { ForceReleased as _holdfast_v1_ForceReleased, ForceReleased__Output as _holdfast_v1_ForceReleased__Output } from '../../holdfast/v1/ForceReleased.ts';
import type { Permit as _holdfast_v1_Permit, Permit__Output as _holdfast_v1_Permit__Output } from '../../holdfast/v1/Permit.ts';
import type { Exited as _holdfast_v1_Exited, Exited__Output as _holdfast_v1_Exited__Output } from '../../holdfast/v1/Exited.ts';
import type { UpstreamResponse as _holdfast_v1_UpstreamResponse, UpstreamResponse__Output as _holdfast_v1_UpstreamResponse__Output } from '../../holdfast/v1/UpstreamResponse.ts';
import type { Reservation as _holdfast_v1_Reservation, Reservation__Output as _holdfast_v1_Reservation__Output } from '../../holdfast/v1/Reservation.ts';
import type { Settled as _holdfast_v1_Settled, Settled__Output as _holdfast_v1_Settled__Output } from '../../holdfast/v1/Settled.ts';
import type { Released as _holdfast_v1_Released, Released__Output as _holdfast_v1_Released__Output } from '../../holdfast/v1/Released.ts';
import type { BudgetState as _holdfast_v1_BudgetState, BudgetState__Output as _holdfast_v1_BudgetState__Output } from '../../holdfast/v1/BudgetState.ts';
import type { Acked as _holdfast_v1_Acked, Acked__Output as _holdfast_v1_Acked__Output } from '../../holdfast/v1/Acked.ts';

export interface ServerFrame {
  /**
   * The id of the client's frame; 0 for what nobody asked for.
   */
  'id'?: (number);
  /**
   * More of the same answer follows. Answers over 256 KiB are cut between two rows (`query`, `fetch`, `page`) or between two results
   * (`batch`, `pipeline`); merging the parts in order, as protobuf merges messages, gives the whole.
   */
  'more'?: (boolean);
  'error'?: (_google_rpc_Status | null);
  /**
   * The first frame of a session, id 0.
   */
  'info'?: (_holdfast_v1_SessionInfo | null);
  /**
   * Pushed with id 0.
   */
  'transactionEnded'?: (_holdfast_v1_TransactionEnded | null);
  'query'?: (_holdfast_v1_QueryResult | null);
  'batch'?: (_holdfast_v1_BatchResult | null);
  'command'?: (_holdfast_v1_RedisReply | null);
  'pipeline'?: (_holdfast_v1_PipelineReply | null);
  /**
   * Pushed with id 0.
   */
  'draining'?: (_holdfast_v1_Draining | null);
  /**
   * Pushed with id 0.
   */
  'lockLost'?: (_holdfast_v1_LockLost | null);
  'cancel'?: (_holdfast_v1_Cancelled | null);
  'begin'?: (_holdfast_v1_Begun | null);
  'commit'?: (_holdfast_v1_Committed | null);
  'rollback'?: (_holdfast_v1_RolledBack | null);
  'savepoint'?: (_holdfast_v1_SavepointDone | null);
  'fetch'?: (_holdfast_v1_QueryResult | null);
  'page'?: (_holdfast_v1_PageResult | null);
  'outcome'?: (_holdfast_v1_OutcomeResult | null);
  'script'?: (_holdfast_v1_RedisReply | null);
  'publish'?: (_holdfast_v1_PublishReply | null);
  'acquire'?: (_holdfast_v1_Grant | null);
  'renew'?: (_holdfast_v1_Renewed | null);
  'releaseLock'?: (_holdfast_v1_LockReleased | null);
  'listLocks'?: (_holdfast_v1_LockList | null);
  'forceRelease'?: (_holdfast_v1_ForceReleased | null);
  'enter'?: (_holdfast_v1_Permit | null);
  'exit'?: (_holdfast_v1_Exited | null);
  'upstream'?: (_holdfast_v1_UpstreamResponse | null);
  'reserve'?: (_holdfast_v1_Reservation | null);
  'settle'?: (_holdfast_v1_Settled | null);
  'release'?: (_holdfast_v1_Released | null);
  'budget'?: (_holdfast_v1_BudgetState | null);
  'ackEvents'?: (_holdfast_v1_Acked | null);
  'response'?: "error"|"info"|"transactionEnded"|"query"|"batch"|"command"|"pipeline"|"draining"|"lockLost"|"cancel"|"begin"|"commit"|"rollback"|"savepoint"|"fetch"|"page"|"outcome"|"script"|"publish"|"acquire"|"renew"|"releaseLock"|"listLocks"|"forceRelease"|"enter"|"exit"|"upstream"|"reserve"|"settle"|"release"|"budget"|"ackEvents";
}

export interface ServerFrame__Output {
  /**
   * The id of the client's frame; 0 for what nobody asked for.
   */
  'id': (number);
  /**
   * More of the same answer follows. Answers over 256 KiB are cut between two rows (`query`, `fetch`, `page`) or between two results
   * (`batch`, `pipeline`); merging the parts in order, as protobuf merges messages, gives the whole.
   */
  'more': (boolean);
  'error'?: (_google_rpc_Status__Output | null);
  /**
   * The first frame of a session, id 0.
   */
  'info'?: (_holdfast_v1_SessionInfo__Output | null);
  /**
   * Pushed with id 0.
   */
  'transactionEnded'?: (_holdfast_v1_TransactionEnded__Output | null);
  'query'?: (_holdfast_v1_QueryResult__Output | null);
  'batch'?: (_holdfast_v1_BatchResult__Output | null);
  'command'?: (_holdfast_v1_RedisReply__Output | null);
  'pipeline'?: (_holdfast_v1_PipelineReply__Output | null);
  /**
   * Pushed with id 0.
   */
  'draining'?: (_holdfast_v1_Draining__Output | null);
  /**
   * Pushed with id 0.
   */
  'lockLost'?: (_holdfast_v1_LockLost__Output | null);
  'cancel'?: (_holdfast_v1_Cancelled__Output | null);
  'begin'?: (_holdfast_v1_Begun__Output | null);
  'commit'?: (_holdfast_v1_Committed__Output | null);
  'rollback'?: (_holdfast_v1_RolledBack__Output | null);
  'savepoint'?: (_holdfast_v1_SavepointDone__Output | null);
  'fetch'?: (_holdfast_v1_QueryResult__Output | null);
  'page'?: (_holdfast_v1_PageResult__Output | null);
  'outcome'?: (_holdfast_v1_OutcomeResult__Output | null);
  'script'?: (_holdfast_v1_RedisReply__Output | null);
  'publish'?: (_holdfast_v1_PublishReply__Output | null);
  'acquire'?: (_holdfast_v1_Grant__Output | null);
  'renew'?: (_holdfast_v1_Renewed__Output | null);
  'releaseLock'?: (_holdfast_v1_LockReleased__Output | null);
  'listLocks'?: (_holdfast_v1_LockList__Output | null);
  'forceRelease'?: (_holdfast_v1_ForceReleased__Output | null);
  'enter'?: (_holdfast_v1_Permit__Output | null);
  'exit'?: (_holdfast_v1_Exited__Output | null);
  'upstream'?: (_holdfast_v1_UpstreamResponse__Output | null);
  'reserve'?: (_holdfast_v1_Reservation__Output | null);
  'settle'?: (_holdfast_v1_Settled__Output | null);
  'release'?: (_holdfast_v1_Released__Output | null);
  'budget'?: (_holdfast_v1_BudgetState__Output | null);
  'ackEvents'?: (_holdfast_v1_Acked__Output | null);
  'response'?: "error"|"info"|"transactionEnded"|"query"|"batch"|"command"|"pipeline"|"draining"|"lockLost"|"cancel"|"begin"|"commit"|"rollback"|"savepoint"|"fetch"|"page"|"outcome"|"script"|"publish"|"acquire"|"renew"|"releaseLock"|"listLocks"|"forceRelease"|"enter"|"exit"|"upstream"|"reserve"|"settle"|"release"|"budget"|"ackEvents";
}
