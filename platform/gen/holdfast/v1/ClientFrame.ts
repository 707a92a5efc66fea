// Original file: proto/holdfast/v1/session.proto

import type { Priority as _holdfast_v1_Priority, Priority__Output as _holdfast_v1_Priority__Output } from '../../holdfast/v1/Priority.ts';
import type { QueryRequest as _holdfast_v1_QueryRequest, QueryRequest__Output as _holdfast_v1_QueryRequest__Output } from '../../holdfast/v1/QueryRequest.ts';
import type { BatchRequest as _holdfast_v1_BatchRequest, BatchRequest__Output as _holdfast_v1_BatchRequest__Output } from '../../holdfast/v1/BatchRequest.ts';
import type { CommandRequest as _holdfast_v1_CommandRequest, CommandRequest__Output as _holdfast_v1_CommandRequest__Output } from '../../holdfast/v1/CommandRequest.ts';
import type { PipelineRequest as _holdfast_v1_PipelineRequest, PipelineRequest__Output as _holdfast_v1_PipelineRequest__Output } from '../../holdfast/v1/PipelineRequest.ts';
import type { Cancel as _holdfast_v1_Cancel, Cancel__Output as _holdfast_v1_Cancel__Output } from '../../holdfast/v1/Cancel.ts';
import type { Begin as _holdfast_v1_Begin, Begin__Output as _holdfast_v1_Begin__Output } from '../../holdfast/v1/Begin.ts';
import type { Commit as _holdfast_v1_Commit, Commit__Output as _holdfast_v1_Commit__Output } from '../../holdfast/v1/Commit.ts';
import type { Rollback as _holdfast_v1_Rollback, Rollback__Output as _holdfast_v1_Rollback__Output } from '../../holdfast/v1/Rollback.ts';
import type { Savepoint as _holdfast_v1_Savepoint, Savepoint__Output as _holdfast_v1_Savepoint__Output } from '../../holdfast/v1/Savepoint.ts';
import type { Fetch as _holdfast_v1_Fetch, Fetch__Output as _holdfast_v1_Fetch__Output } from '../../holdfast/v1/Fetch.ts';
import type { PageRequest as _holdfast_v1_PageRequest, PageRequest__Output as _holdfast_v1_PageRequest__Output } from '../../holdfast/v1/PageRequest.ts';
import type { OutcomeRequest as _holdfast_v1_OutcomeRequest, OutcomeRequest__Output as _holdfast_v1_OutcomeRequest__Output } from '../../holdfast/v1/OutcomeRequest.ts';
import type { ScriptRequest as _holdfast_v1_ScriptRequest, ScriptRequest__Output as _holdfast_v1_ScriptRequest__Output } from '../../holdfast/v1/ScriptRequest.ts';
import type { PublishRequest as _holdfast_v1_PublishRequest, PublishRequest__Output as _holdfast_v1_PublishRequest__Output } from '../../holdfast/v1/PublishRequest.ts';
import type { AcquireRequest as _holdfast_v1_AcquireRequest, AcquireRequest__Output as _holdfast_v1_AcquireRequest__Output } from '../../holdfast/v1/AcquireRequest.ts';
import type { RenewRequest as _holdfast_v1_RenewRequest, RenewRequest__Output as _holdfast_v1_RenewRequest__Output } from '../../holdfast/v1/RenewRequest.ts';
import type { ReleaseLockRequest as _holdfast_v1_ReleaseLockRequest, ReleaseLockRequest__Output as _holdfast_v1_ReleaseLockRequest__Output } from '../../holdfast/v1/ReleaseLockRequest.ts';
import type { ListLocksRequest as _holdfast_v1_ListLocksRequest, ListLocksRequest__Output as _holdfast_v1_ListLocksRequest__Output } from '../../holdfast/v1/ListLocksRequest.ts';
import type { ForceReleaseRequest as _holdfast_v1_ForceReleaseRequest, ForceReleaseRequest__Output as _holdfast_v1_ForceReleaseRequest__Output } from '../../holdfast/v1/ForceReleaseRequest.ts';
import type { EnterRequest as _holdfast_v1_EnterRequest, EnterRequest__Output as _holdfast_v1_EnterRequest__Output } from '../../holdfast/v1/EnterRequest.ts';
import type { ExitRequest as _holdfast_v1_ExitRequest, ExitRequest__Output as _holdfast_v1_ExitRequest__Output } from '../../holdfast/v1/ExitRequest.ts';
import type { UpstreamRequest as _holdfast_v1_UpstreamRequest, UpstreamRequest__Output as _holdfast_v1_UpstreamRequest__Output } from '../../holdfast/v1/UpstreamRequest.ts';
import type { ReserveRequest as _holdfast_v1_ReserveRequest, ReserveRequest__Output as _holdfast_v1_ReserveRequest__Output } from '../../holdfast/v1/ReserveRequest.ts';
import type { SettleRequest as _holdfast_v1_SettleRequest, SettleRequest__Output as _holdfast_v1_SettleRequest__Output } from '../../holdfast/v1/SettleRequest.ts';
import type { ReleaseRequest as _holdfast_v1_ReleaseRequest, ReleaseRequest__Output as _holdfast_v1_ReleaseRequest__Output } from '../../holdfast/v1/ReleaseRequest.ts';
import type { InspectBudgetRequest as _holdfast_v1_InspectBudgetRequest, InspectBudgetRequest__Output as _holdfast_v1_InspectBudgetRequest__Output } from '../../holdfast/v1/InspectBudgetRequest.ts';
import type { AckRequest as _holdfast_v1_AckRequest, AckRequest__Output as _holdfast_v1_AckRequest__Output } from '../../holdfast/v1/AckRequest.ts';

/**
 * One call. Numbers 6 to 15 are for the frequent requests, 16 to 31 databases, 32 to 47 Redis, 48 to 63 locks,
 * 64 to 95 guards, upstreams and budgets, 96 to 511 later services. The answer of a request has the request's number in ServerFrame.
 */
export interface ClientFrame {
  /**
   * Chosen by the client, not 0, free for use again after its final answer.
   */
  'id'?: (number);
  /**
   * W3C trace context; empty for none.
   */
  'traceparent'?: (string);
  /**
   * Time left for this call in ms; 0 for none: only the pool's own limits end it then.
   */
  'deadlineMs'?: (number);
  /**
   * The transaction this frame is part of, chosen by the client in the frame of its Begin; 0 for none. Free for use again after the answer to
   * Commit or Rollback. Frames may follow a Begin without waiting for its answer: if it fails, so do they.
   */
  'transactionId'?: (number);
  'priority'?: (_holdfast_v1_Priority);
  'query'?: (_holdfast_v1_QueryRequest | null);
  'batch'?: (_holdfast_v1_BatchRequest | null);
  'command'?: (_holdfast_v1_CommandRequest | null);
  'pipeline'?: (_holdfast_v1_PipelineRequest | null);
  'cancel'?: (_holdfast_v1_Cancel | null);
  'begin'?: (_holdfast_v1_Begin | null);
  'commit'?: (_holdfast_v1_Commit | null);
  'rollback'?: (_holdfast_v1_Rollback | null);
  'savepoint'?: (_holdfast_v1_Savepoint | null);
  'fetch'?: (_holdfast_v1_Fetch | null);
  'page'?: (_holdfast_v1_PageRequest | null);
  'outcome'?: (_holdfast_v1_OutcomeRequest | null);
  'script'?: (_holdfast_v1_ScriptRequest | null);
  'publish'?: (_holdfast_v1_PublishRequest | null);
  'acquire'?: (_holdfast_v1_AcquireRequest | null);
  'renew'?: (_holdfast_v1_RenewRequest | null);
  'releaseLock'?: (_holdfast_v1_ReleaseLockRequest | null);
  'listLocks'?: (_holdfast_v1_ListLocksRequest | null);
  'forceRelease'?: (_holdfast_v1_ForceReleaseRequest | null);
  'enter'?: (_holdfast_v1_EnterRequest | null);
  'exit'?: (_holdfast_v1_ExitRequest | null);
  'upstream'?: (_holdfast_v1_UpstreamRequest | null);
  'reserve'?: (_holdfast_v1_ReserveRequest | null);
  'settle'?: (_holdfast_v1_SettleRequest | null);
  'release'?: (_holdfast_v1_ReleaseRequest | null);
  'budget'?: (_holdfast_v1_InspectBudgetRequest | null);
  'ackEvents'?: (_holdfast_v1_AckRequest | null);
  'request'?: "query"|"batch"|"command"|"pipeline"|"cancel"|"begin"|"commit"|"rollback"|"savepoint"|"fetch"|"page"|"outcome"|"script"|"publish"|"acquire"|"renew"|"releaseLock"|"listLocks"|"forceRelease"|"enter"|"exit"|"upstream"|"reserve"|"settle"|"release"|"budget"|"ackEvents";
}

/**
 * One call. Numbers 6 to 15 are for the frequent requests, 16 to 31 databases, 32 to 47 Redis, 48 to 63 locks,
 * 64 to 95 guards, upstreams and budgets, 96 to 511 later services. The answer of a request has the request's number in ServerFrame.
 */
export interface ClientFrame__Output {
  /**
   * Chosen by the client, not 0, free for use again after its final answer.
   */
  'id': (number);
  /**
   * W3C trace context; empty for none.
   */
  'traceparent': (string);
  /**
   * Time left for this call in ms; 0 for none: only the pool's own limits end it then.
   */
  'deadlineMs': (number);
  /**
   * The transaction this frame is part of, chosen by the client in the frame of its Begin; 0 for none. Free for use again after the answer to
   * Commit or Rollback. Frames may follow a Begin without waiting for its answer: if it fails, so do they.
   */
  'transactionId': (number);
  'priority': (_holdfast_v1_Priority__Output);
  'query'?: (_holdfast_v1_QueryRequest__Output | null);
  'batch'?: (_holdfast_v1_BatchRequest__Output | null);
  'command'?: (_holdfast_v1_CommandRequest__Output | null);
  'pipeline'?: (_holdfast_v1_PipelineRequest__Output | null);
  'cancel'?: (_holdfast_v1_Cancel__Output | null);
  'begin'?: (_holdfast_v1_Begin__Output | null);
  'commit'?: (_holdfast_v1_Commit__Output | null);
  'rollback'?: (_holdfast_v1_Rollback__Output | null);
  'savepoint'?: (_holdfast_v1_Savepoint__Output | null);
  'fetch'?: (_holdfast_v1_Fetch__Output | null);
  'page'?: (_holdfast_v1_PageRequest__Output | null);
  'outcome'?: (_holdfast_v1_OutcomeRequest__Output | null);
  'script'?: (_holdfast_v1_ScriptRequest__Output | null);
  'publish'?: (_holdfast_v1_PublishRequest__Output | null);
  'acquire'?: (_holdfast_v1_AcquireRequest__Output | null);
  'renew'?: (_holdfast_v1_RenewRequest__Output | null);
  'releaseLock'?: (_holdfast_v1_ReleaseLockRequest__Output | null);
  'listLocks'?: (_holdfast_v1_ListLocksRequest__Output | null);
  'forceRelease'?: (_holdfast_v1_ForceReleaseRequest__Output | null);
  'enter'?: (_holdfast_v1_EnterRequest__Output | null);
  'exit'?: (_holdfast_v1_ExitRequest__Output | null);
  'upstream'?: (_holdfast_v1_UpstreamRequest__Output | null);
  'reserve'?: (_holdfast_v1_ReserveRequest__Output | null);
  'settle'?: (_holdfast_v1_SettleRequest__Output | null);
  'release'?: (_holdfast_v1_ReleaseRequest__Output | null);
  'budget'?: (_holdfast_v1_InspectBudgetRequest__Output | null);
  'ackEvents'?: (_holdfast_v1_AckRequest__Output | null);
  'request'?: "query"|"batch"|"command"|"pipeline"|"cancel"|"begin"|"commit"|"rollback"|"savepoint"|"fetch"|"page"|"outcome"|"script"|"publish"|"acquire"|"renew"|"releaseLock"|"listLocks"|"forceRelease"|"enter"|"exit"|"upstream"|"reserve"|"settle"|"release"|"budget"|"ackEvents";
}
