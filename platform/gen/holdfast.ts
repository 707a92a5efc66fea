import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from './google/protobuf/Any.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { BadRequest as _google_rpc_BadRequest, BadRequest__Output as _google_rpc_BadRequest__Output } from './google/rpc/BadRequest.ts';
import type { DebugInfo as _google_rpc_DebugInfo, DebugInfo__Output as _google_rpc_DebugInfo__Output } from './google/rpc/DebugInfo.ts';
import type { ErrorInfo as _google_rpc_ErrorInfo, ErrorInfo__Output as _google_rpc_ErrorInfo__Output } from './google/rpc/ErrorInfo.ts';
import type { Help as _google_rpc_Help, Help__Output as _google_rpc_Help__Output } from './google/rpc/Help.ts';
import type { LocalizedMessage as _google_rpc_LocalizedMessage, LocalizedMessage__Output as _google_rpc_LocalizedMessage__Output } from './google/rpc/LocalizedMessage.ts';
import type { PreconditionFailure as _google_rpc_PreconditionFailure, PreconditionFailure__Output as _google_rpc_PreconditionFailure__Output } from './google/rpc/PreconditionFailure.ts';
import type { QuotaFailure as _google_rpc_QuotaFailure, QuotaFailure__Output as _google_rpc_QuotaFailure__Output } from './google/rpc/QuotaFailure.ts';
import type { RequestInfo as _google_rpc_RequestInfo, RequestInfo__Output as _google_rpc_RequestInfo__Output } from './google/rpc/RequestInfo.ts';
import type { ResourceInfo as _google_rpc_ResourceInfo, ResourceInfo__Output as _google_rpc_ResourceInfo__Output } from './google/rpc/ResourceInfo.ts';
import type { RetryInfo as _google_rpc_RetryInfo, RetryInfo__Output as _google_rpc_RetryInfo__Output } from './google/rpc/RetryInfo.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from './google/rpc/Status.ts';
import type { AckRequest as _holdfast_v1_AckRequest, AckRequest__Output as _holdfast_v1_AckRequest__Output } from './holdfast/v1/AckRequest.ts';
import type { Acked as _holdfast_v1_Acked, Acked__Output as _holdfast_v1_Acked__Output } from './holdfast/v1/Acked.ts';
import type { AcquireRequest as _holdfast_v1_AcquireRequest, AcquireRequest__Output as _holdfast_v1_AcquireRequest__Output } from './holdfast/v1/AcquireRequest.ts';
import type { BatchRequest as _holdfast_v1_BatchRequest, BatchRequest__Output as _holdfast_v1_BatchRequest__Output } from './holdfast/v1/BatchRequest.ts';
import type { BatchResult as _holdfast_v1_BatchResult, BatchResult__Output as _holdfast_v1_BatchResult__Output } from './holdfast/v1/BatchResult.ts';
import type { Begin as _holdfast_v1_Begin, Begin__Output as _holdfast_v1_Begin__Output } from './holdfast/v1/Begin.ts';
import type { Begun as _holdfast_v1_Begun, Begun__Output as _holdfast_v1_Begun__Output } from './holdfast/v1/Begun.ts';
import type { BudgetState as _holdfast_v1_BudgetState, BudgetState__Output as _holdfast_v1_BudgetState__Output } from './holdfast/v1/BudgetState.ts';
import type { BudgetsClient as _holdfast_v1_BudgetsClient, BudgetsDefinition as _holdfast_v1_BudgetsDefinition } from './holdfast/v1/Budgets.ts';
import type { Cancel as _holdfast_v1_Cancel, Cancel__Output as _holdfast_v1_Cancel__Output } from './holdfast/v1/Cancel.ts';
import type { Cancelled as _holdfast_v1_Cancelled, Cancelled__Output as _holdfast_v1_Cancelled__Output } from './holdfast/v1/Cancelled.ts';
import type { Cell as _holdfast_v1_Cell, Cell__Output as _holdfast_v1_Cell__Output } from './holdfast/v1/Cell.ts';
import type { ClientFrame as _holdfast_v1_ClientFrame, ClientFrame__Output as _holdfast_v1_ClientFrame__Output } from './holdfast/v1/ClientFrame.ts';
import type { ClientFrames as _holdfast_v1_ClientFrames, ClientFrames__Output as _holdfast_v1_ClientFrames__Output } from './holdfast/v1/ClientFrames.ts';
import type { Column as _holdfast_v1_Column, Column__Output as _holdfast_v1_Column__Output } from './holdfast/v1/Column.ts';
import type { CommandOutcome as _holdfast_v1_CommandOutcome, CommandOutcome__Output as _holdfast_v1_CommandOutcome__Output } from './holdfast/v1/CommandOutcome.ts';
import type { CommandRequest as _holdfast_v1_CommandRequest, CommandRequest__Output as _holdfast_v1_CommandRequest__Output } from './holdfast/v1/CommandRequest.ts';
import type { Commit as _holdfast_v1_Commit, Commit__Output as _holdfast_v1_Commit__Output } from './holdfast/v1/Commit.ts';
import type { Committed as _holdfast_v1_Committed, Committed__Output as _holdfast_v1_Committed__Output } from './holdfast/v1/Committed.ts';
import type { ControllerState as _holdfast_v1_ControllerState, ControllerState__Output as _holdfast_v1_ControllerState__Output } from './holdfast/v1/ControllerState.ts';
import type { DatabaseClient as _holdfast_v1_DatabaseClient, DatabaseDefinition as _holdfast_v1_DatabaseDefinition } from './holdfast/v1/Database.ts';
import type { Draining as _holdfast_v1_Draining, Draining__Output as _holdfast_v1_Draining__Output } from './holdfast/v1/Draining.ts';
import type { EnterRequest as _holdfast_v1_EnterRequest, EnterRequest__Output as _holdfast_v1_EnterRequest__Output } from './holdfast/v1/EnterRequest.ts';
import type { Event as _holdfast_v1_Event, Event__Output as _holdfast_v1_Event__Output } from './holdfast/v1/Event.ts';
import type { EventsClient as _holdfast_v1_EventsClient, EventsDefinition as _holdfast_v1_EventsDefinition } from './holdfast/v1/Events.ts';
import type { ExitRequest as _holdfast_v1_ExitRequest, ExitRequest__Output as _holdfast_v1_ExitRequest__Output } from './holdfast/v1/ExitRequest.ts';
import type { Exited as _holdfast_v1_Exited, Exited__Output as _holdfast_v1_Exited__Output } from './holdfast/v1/Exited.ts';
import type { Fetch as _holdfast_v1_Fetch, Fetch__Output as _holdfast_v1_Fetch__Output } from './holdfast/v1/Fetch.ts';
import type { Filter as _holdfast_v1_Filter, Filter__Output as _holdfast_v1_Filter__Output } from './holdfast/v1/Filter.ts';
import type { ForceReleaseRequest as _holdfast_v1_ForceReleaseRequest, ForceReleaseRequest__Output as _holdfast_v1_ForceReleaseRequest__Output } from './holdfast/v1/ForceReleaseRequest.ts';
import type { ForceReleased as _holdfast_v1_ForceReleased, ForceReleased__Output as _holdfast_v1_ForceReleased__Output } from './holdfast/v1/ForceReleased.ts';
import type { Grant as _holdfast_v1_Grant, Grant__Output as _holdfast_v1_Grant__Output } from './holdfast/v1/Grant.ts';
import type { GuardClient as _holdfast_v1_GuardClient, GuardDefinition as _holdfast_v1_GuardDefinition } from './holdfast/v1/Guard.ts';
import type { HeldLock as _holdfast_v1_HeldLock, HeldLock__Output as _holdfast_v1_HeldLock__Output } from './holdfast/v1/HeldLock.ts';
import type { HoldEvent as _holdfast_v1_HoldEvent, HoldEvent__Output as _holdfast_v1_HoldEvent__Output } from './holdfast/v1/HoldEvent.ts';
import type { HttpHeader as _holdfast_v1_HttpHeader, HttpHeader__Output as _holdfast_v1_HttpHeader__Output } from './holdfast/v1/HttpHeader.ts';
import type { InspectBudgetRequest as _holdfast_v1_InspectBudgetRequest, InspectBudgetRequest__Output as _holdfast_v1_InspectBudgetRequest__Output } from './holdfast/v1/InspectBudgetRequest.ts';
import type { InspectPoliciesRequest as _holdfast_v1_InspectPoliciesRequest, InspectPoliciesRequest__Output as _holdfast_v1_InspectPoliciesRequest__Output } from './holdfast/v1/InspectPoliciesRequest.ts';
import type { ListLocksRequest as _holdfast_v1_ListLocksRequest, ListLocksRequest__Output as _holdfast_v1_ListLocksRequest__Output } from './holdfast/v1/ListLocksRequest.ts';
import type { LockHolder as _holdfast_v1_LockHolder, LockHolder__Output as _holdfast_v1_LockHolder__Output } from './holdfast/v1/LockHolder.ts';
import type { LockList as _holdfast_v1_LockList, LockList__Output as _holdfast_v1_LockList__Output } from './holdfast/v1/LockList.ts';
import type { LockLost as _holdfast_v1_LockLost, LockLost__Output as _holdfast_v1_LockLost__Output } from './holdfast/v1/LockLost.ts';
import type { LockReleased as _holdfast_v1_LockReleased, LockReleased__Output as _holdfast_v1_LockReleased__Output } from './holdfast/v1/LockReleased.ts';
import type { LockState as _holdfast_v1_LockState, LockState__Output as _holdfast_v1_LockState__Output } from './holdfast/v1/LockState.ts';
import type { LocksClient as _holdfast_v1_LocksClient, LocksDefinition as _holdfast_v1_LocksDefinition } from './holdfast/v1/Locks.ts';
import type { OutboxEvent as _holdfast_v1_OutboxEvent, OutboxEvent__Output as _holdfast_v1_OutboxEvent__Output } from './holdfast/v1/OutboxEvent.ts';
import type { OutcomeRequest as _holdfast_v1_OutcomeRequest, OutcomeRequest__Output as _holdfast_v1_OutcomeRequest__Output } from './holdfast/v1/OutcomeRequest.ts';
import type { OutcomeResult as _holdfast_v1_OutcomeResult, OutcomeResult__Output as _holdfast_v1_OutcomeResult__Output } from './holdfast/v1/OutcomeResult.ts';
import type { PageRequest as _holdfast_v1_PageRequest, PageRequest__Output as _holdfast_v1_PageRequest__Output } from './holdfast/v1/PageRequest.ts';
import type { PageResult as _holdfast_v1_PageResult, PageResult__Output as _holdfast_v1_PageResult__Output } from './holdfast/v1/PageResult.ts';
import type { Permit as _holdfast_v1_Permit, Permit__Output as _holdfast_v1_Permit__Output } from './holdfast/v1/Permit.ts';
import type { PipelineReply as _holdfast_v1_PipelineReply, PipelineReply__Output as _holdfast_v1_PipelineReply__Output } from './holdfast/v1/PipelineReply.ts';
import type { PipelineRequest as _holdfast_v1_PipelineRequest, PipelineRequest__Output as _holdfast_v1_PipelineRequest__Output } from './holdfast/v1/PipelineRequest.ts';
import type { PoliciesClient as _holdfast_v1_PoliciesClient, PoliciesDefinition as _holdfast_v1_PoliciesDefinition } from './holdfast/v1/Policies.ts';
import type { PolicyState as _holdfast_v1_PolicyState, PolicyState__Output as _holdfast_v1_PolicyState__Output } from './holdfast/v1/PolicyState.ts';
import type { PublishReply as _holdfast_v1_PublishReply, PublishReply__Output as _holdfast_v1_PublishReply__Output } from './holdfast/v1/PublishReply.ts';
import type { PublishRequest as _holdfast_v1_PublishRequest, PublishRequest__Output as _holdfast_v1_PublishRequest__Output } from './holdfast/v1/PublishRequest.ts';
import type { QueryRequest as _holdfast_v1_QueryRequest, QueryRequest__Output as _holdfast_v1_QueryRequest__Output } from './holdfast/v1/QueryRequest.ts';
import type { QueryResult as _holdfast_v1_QueryResult, QueryResult__Output as _holdfast_v1_QueryResult__Output } from './holdfast/v1/QueryResult.ts';
import type { RedisClient as _holdfast_v1_RedisClient, RedisDefinition as _holdfast_v1_RedisDefinition } from './holdfast/v1/Redis.ts';
import type { RedisArray as _holdfast_v1_RedisArray, RedisArray__Output as _holdfast_v1_RedisArray__Output } from './holdfast/v1/RedisArray.ts';
import type { RedisCommand as _holdfast_v1_RedisCommand, RedisCommand__Output as _holdfast_v1_RedisCommand__Output } from './holdfast/v1/RedisCommand.ts';
import type { RedisMessage as _holdfast_v1_RedisMessage, RedisMessage__Output as _holdfast_v1_RedisMessage__Output } from './holdfast/v1/RedisMessage.ts';
import type { RedisReply as _holdfast_v1_RedisReply, RedisReply__Output as _holdfast_v1_RedisReply__Output } from './holdfast/v1/RedisReply.ts';
import type { ReleaseLockRequest as _holdfast_v1_ReleaseLockRequest, ReleaseLockRequest__Output as _holdfast_v1_ReleaseLockRequest__Output } from './holdfast/v1/ReleaseLockRequest.ts';
import type { ReleaseRequest as _holdfast_v1_ReleaseRequest, ReleaseRequest__Output as _holdfast_v1_ReleaseRequest__Output } from './holdfast/v1/ReleaseRequest.ts';
import type { Released as _holdfast_v1_Released, Released__Output as _holdfast_v1_Released__Output } from './holdfast/v1/Released.ts';
import type { RenewRequest as _holdfast_v1_RenewRequest, RenewRequest__Output as _holdfast_v1_RenewRequest__Output } from './holdfast/v1/RenewRequest.ts';
import type { Renewed as _holdfast_v1_Renewed, Renewed__Output as _holdfast_v1_Renewed__Output } from './holdfast/v1/Renewed.ts';
import type { Reservation as _holdfast_v1_Reservation, Reservation__Output as _holdfast_v1_Reservation__Output } from './holdfast/v1/Reservation.ts';
import type { ReserveRequest as _holdfast_v1_ReserveRequest, ReserveRequest__Output as _holdfast_v1_ReserveRequest__Output } from './holdfast/v1/ReserveRequest.ts';
import type { Rollback as _holdfast_v1_Rollback, Rollback__Output as _holdfast_v1_Rollback__Output } from './holdfast/v1/Rollback.ts';
import type { RolledBack as _holdfast_v1_RolledBack, RolledBack__Output as _holdfast_v1_RolledBack__Output } from './holdfast/v1/RolledBack.ts';
import type { Row as _holdfast_v1_Row, Row__Output as _holdfast_v1_Row__Output } from './holdfast/v1/Row.ts';
import type { Savepoint as _holdfast_v1_Savepoint, Savepoint__Output as _holdfast_v1_Savepoint__Output } from './holdfast/v1/Savepoint.ts';
import type { SavepointDone as _holdfast_v1_SavepointDone, SavepointDone__Output as _holdfast_v1_SavepointDone__Output } from './holdfast/v1/SavepointDone.ts';
import type { ScriptRequest as _holdfast_v1_ScriptRequest, ScriptRequest__Output as _holdfast_v1_ScriptRequest__Output } from './holdfast/v1/ScriptRequest.ts';
import type { ServerFrame as _holdfast_v1_ServerFrame, ServerFrame__Output as _holdfast_v1_ServerFrame__Output } from './holdfast/v1/ServerFrame.ts';
import type { ServerFrames as _holdfast_v1_ServerFrames, ServerFrames__Output as _holdfast_v1_ServerFrames__Output } from './holdfast/v1/ServerFrames.ts';
import type { SessionClient as _holdfast_v1_SessionClient, SessionDefinition as _holdfast_v1_SessionDefinition } from './holdfast/v1/Session.ts';
import type { SessionInfo as _holdfast_v1_SessionInfo, SessionInfo__Output as _holdfast_v1_SessionInfo__Output } from './holdfast/v1/SessionInfo.ts';
import type { SettleRequest as _holdfast_v1_SettleRequest, SettleRequest__Output as _holdfast_v1_SettleRequest__Output } from './holdfast/v1/SettleRequest.ts';
import type { Settled as _holdfast_v1_Settled, Settled__Output as _holdfast_v1_Settled__Output } from './holdfast/v1/Settled.ts';
import type { Sort as _holdfast_v1_Sort, Sort__Output as _holdfast_v1_Sort__Output } from './holdfast/v1/Sort.ts';
import type { Statement as _holdfast_v1_Statement, Statement__Output as _holdfast_v1_Statement__Output } from './holdfast/v1/Statement.ts';
import type { StatementResult as _holdfast_v1_StatementResult, StatementResult__Output as _holdfast_v1_StatementResult__Output } from './holdfast/v1/StatementResult.ts';
import type { StreamRequest as _holdfast_v1_StreamRequest, StreamRequest__Output as _holdfast_v1_StreamRequest__Output } from './holdfast/v1/StreamRequest.ts';
import type { SubscribeEvent as _holdfast_v1_SubscribeEvent, SubscribeEvent__Output as _holdfast_v1_SubscribeEvent__Output } from './holdfast/v1/SubscribeEvent.ts';
import type { SubscribeEventsRequest as _holdfast_v1_SubscribeEventsRequest, SubscribeEventsRequest__Output as _holdfast_v1_SubscribeEventsRequest__Output } from './holdfast/v1/SubscribeEventsRequest.ts';
import type { SubscribeRequest as _holdfast_v1_SubscribeRequest, SubscribeRequest__Output as _holdfast_v1_SubscribeRequest__Output } from './holdfast/v1/SubscribeRequest.ts';
import type { Subscribed as _holdfast_v1_Subscribed, Subscribed__Output as _holdfast_v1_Subscribed__Output } from './holdfast/v1/Subscribed.ts';
import type { SubscriptionGap as _holdfast_v1_SubscriptionGap, SubscriptionGap__Output as _holdfast_v1_SubscriptionGap__Output } from './holdfast/v1/SubscriptionGap.ts';
import type { TargetState as _holdfast_v1_TargetState, TargetState__Output as _holdfast_v1_TargetState__Output } from './holdfast/v1/TargetState.ts';
import type { TransactionEnded as _holdfast_v1_TransactionEnded, TransactionEnded__Output as _holdfast_v1_TransactionEnded__Output } from './holdfast/v1/TransactionEnded.ts';
import type { TransactionRequest as _holdfast_v1_TransactionRequest, TransactionRequest__Output as _holdfast_v1_TransactionRequest__Output } from './holdfast/v1/TransactionRequest.ts';
import type { TransactionResponse as _holdfast_v1_TransactionResponse, TransactionResponse__Output as _holdfast_v1_TransactionResponse__Output } from './holdfast/v1/TransactionResponse.ts';
import type { UpstreamClient as _holdfast_v1_UpstreamClient, UpstreamDefinition as _holdfast_v1_UpstreamDefinition } from './holdfast/v1/Upstream.ts';
import type { UpstreamPart as _holdfast_v1_UpstreamPart, UpstreamPart__Output as _holdfast_v1_UpstreamPart__Output } from './holdfast/v1/UpstreamPart.ts';
import type { UpstreamRequest as _holdfast_v1_UpstreamRequest, UpstreamRequest__Output as _holdfast_v1_UpstreamRequest__Output } from './holdfast/v1/UpstreamRequest.ts';
import type { UpstreamResponse as _holdfast_v1_UpstreamResponse, UpstreamResponse__Output as _holdfast_v1_UpstreamResponse__Output } from './holdfast/v1/UpstreamResponse.ts';
import type { Value as _holdfast_v1_Value, Value__Output as _holdfast_v1_Value__Output } from './holdfast/v1/Value.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Any: MessageTypeDefinition<_google_protobuf_Any, _google_protobuf_Any__Output>
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
    }
    rpc: {
      BadRequest: MessageTypeDefinition<_google_rpc_BadRequest, _google_rpc_BadRequest__Output>
      DebugInfo: MessageTypeDefinition<_google_rpc_DebugInfo, _google_rpc_DebugInfo__Output>
      ErrorInfo: MessageTypeDefinition<_google_rpc_ErrorInfo, _google_rpc_ErrorInfo__Output>
      Help: MessageTypeDefinition<_google_rpc_Help, _google_rpc_Help__Output>
      LocalizedMessage: MessageTypeDefinition<_google_rpc_LocalizedMessage, _google_rpc_LocalizedMessage__Output>
      PreconditionFailure: MessageTypeDefinition<_google_rpc_PreconditionFailure, _google_rpc_PreconditionFailure__Output>
      QuotaFailure: MessageTypeDefinition<_google_rpc_QuotaFailure, _google_rpc_QuotaFailure__Output>
      RequestInfo: MessageTypeDefinition<_google_rpc_RequestInfo, _google_rpc_RequestInfo__Output>
      ResourceInfo: MessageTypeDefinition<_google_rpc_ResourceInfo, _google_rpc_ResourceInfo__Output>
      RetryInfo: MessageTypeDefinition<_google_rpc_RetryInfo, _google_rpc_RetryInfo__Output>
      Status: MessageTypeDefinition<_google_rpc_Status, _google_rpc_Status__Output>
    }
  }
  holdfast: {
    v1: {
      AckRequest: MessageTypeDefinition<_holdfast_v1_AckRequest, _holdfast_v1_AckRequest__Output>
      Acked: MessageTypeDefinition<_holdfast_v1_Acked, _holdfast_v1_Acked__Output>
      AcquireRequest: MessageTypeDefinition<_holdfast_v1_AcquireRequest, _holdfast_v1_AcquireRequest__Output>
      AnswerSource: EnumTypeDefinition
      BatchRequest: MessageTypeDefinition<_holdfast_v1_BatchRequest, _holdfast_v1_BatchRequest__Output>
      BatchResult: MessageTypeDefinition<_holdfast_v1_BatchResult, _holdfast_v1_BatchResult__Output>
      Begin: MessageTypeDefinition<_holdfast_v1_Begin, _holdfast_v1_Begin__Output>
      Begun: MessageTypeDefinition<_holdfast_v1_Begun, _holdfast_v1_Begun__Output>
      BudgetState: MessageTypeDefinition<_holdfast_v1_BudgetState, _holdfast_v1_BudgetState__Output>
      /**
       * The cost budget of a target by itself: put aside before a call what it will cost at most, settle afterwards what it did cost.
       *
       * For each key and window, settled + reserved is never above the limit, whoever crashes: a reservation that nobody settles is charged in full when it
       * expires. Every request may be repeated: it is known by its `reservation_id`.
       */
      Budgets: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_BudgetsClient> & { service: _holdfast_v1_BudgetsDefinition }
      CallOutcome: EnumTypeDefinition
      Cancel: MessageTypeDefinition<_holdfast_v1_Cancel, _holdfast_v1_Cancel__Output>
      Cancelled: MessageTypeDefinition<_holdfast_v1_Cancelled, _holdfast_v1_Cancelled__Output>
      Cell: MessageTypeDefinition<_holdfast_v1_Cell, _holdfast_v1_Cell__Output>
      ClientFrame: MessageTypeDefinition<_holdfast_v1_ClientFrame, _holdfast_v1_ClientFrame__Output>
      ClientFrames: MessageTypeDefinition<_holdfast_v1_ClientFrames, _holdfast_v1_ClientFrames__Output>
      Column: MessageTypeDefinition<_holdfast_v1_Column, _holdfast_v1_Column__Output>
      CommandOutcome: MessageTypeDefinition<_holdfast_v1_CommandOutcome, _holdfast_v1_CommandOutcome__Output>
      CommandRequest: MessageTypeDefinition<_holdfast_v1_CommandRequest, _holdfast_v1_CommandRequest__Output>
      Commit: MessageTypeDefinition<_holdfast_v1_Commit, _holdfast_v1_Commit__Output>
      CommitOutcome: EnumTypeDefinition
      Committed: MessageTypeDefinition<_holdfast_v1_Committed, _holdfast_v1_Committed__Output>
      ControllerState: MessageTypeDefinition<_holdfast_v1_ControllerState, _holdfast_v1_ControllerState__Output>
      /**
       * SQL on a pool of PostgreSQL connections that the policy names.
       *
       * Deadlines: every call takes the gRPC deadline (or `deadline_ms` of its frame). When it passes, the statement is
       * cancelled on the server and the call ends with DEADLINE_EXCEEDED; nothing goes on behind the caller's back.
       *
       * Errors: the gRPC status carries google.rpc.ErrorInfo with domain `holdfast.dev` and a `reason` to act on. Errors that
       * PostgreSQL raised have reason `DATABASE_ERROR` (or a more telling one) and the metadata `sqlstate` and, where known,
       * `constraint`, `schema`, `table`, `column`, `position`. See docs/errors.md.
       */
      Database: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_DatabaseClient> & { service: _holdfast_v1_DatabaseDefinition }
      Draining: MessageTypeDefinition<_holdfast_v1_Draining, _holdfast_v1_Draining__Output>
      EnterRequest: MessageTypeDefinition<_holdfast_v1_EnterRequest, _holdfast_v1_EnterRequest__Output>
      Event: MessageTypeDefinition<_holdfast_v1_Event, _holdfast_v1_Event__Output>
      /**
       * Events that were written with a transaction (`Commit.events`): there if and only if it was committed.
       *
       * A subscriber has a name, and its place is kept in the database: after a break it goes on behind what it acknowledged last. At least once: an event that
       * was not acknowledged comes again, with the same `cursor` and `seq`. Events of one key come in the order of their transactions.
       */
      Events: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_EventsClient> & { service: _holdfast_v1_EventsDefinition }
      ExitRequest: MessageTypeDefinition<_holdfast_v1_ExitRequest, _holdfast_v1_ExitRequest__Output>
      Exited: MessageTypeDefinition<_holdfast_v1_Exited, _holdfast_v1_Exited__Output>
      Fetch: MessageTypeDefinition<_holdfast_v1_Fetch, _holdfast_v1_Fetch__Output>
      Filter: MessageTypeDefinition<_holdfast_v1_Filter, _holdfast_v1_Filter__Output>
      FilterOperator: EnumTypeDefinition
      ForceReleaseRequest: MessageTypeDefinition<_holdfast_v1_ForceReleaseRequest, _holdfast_v1_ForceReleaseRequest__Output>
      ForceReleased: MessageTypeDefinition<_holdfast_v1_ForceReleased, _holdfast_v1_ForceReleased__Output>
      GapReason: EnumTypeDefinition
      Grant: MessageTypeDefinition<_holdfast_v1_Grant, _holdfast_v1_Grant__Output>
      /**
       * The policy of a target around a call that the application makes itself: Enter, call, Exit.
       *
       * Enter waits for its turn and is refused like any other call: `BREAKER_OPEN`, `CONCURRENCY_LIMIT`, `COST_BUDGET_EXCEEDED`, `RATE_LIMITED`, each with
       * the time after which another try may succeed. What Exit tells moves the breaker and the adaptive limit of the target.
       *
       * A permit ends with Exit, with the session that it was entered in, or when its lease is over. One that ends without Exit says nothing of the target's
       * health, and is charged its estimate.
       */
      Guard: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_GuardClient> & { service: _holdfast_v1_GuardDefinition }
      HeldLock: MessageTypeDefinition<_holdfast_v1_HeldLock, _holdfast_v1_HeldLock__Output>
      HoldEvent: MessageTypeDefinition<_holdfast_v1_HoldEvent, _holdfast_v1_HoldEvent__Output>
      HttpHeader: MessageTypeDefinition<_holdfast_v1_HttpHeader, _holdfast_v1_HttpHeader__Output>
      InspectBudgetRequest: MessageTypeDefinition<_holdfast_v1_InspectBudgetRequest, _holdfast_v1_InspectBudgetRequest__Output>
      InspectPoliciesRequest: MessageTypeDefinition<_holdfast_v1_InspectPoliciesRequest, _holdfast_v1_InspectPoliciesRequest__Output>
      Isolation: EnumTypeDefinition
      ListLocksRequest: MessageTypeDefinition<_holdfast_v1_ListLocksRequest, _holdfast_v1_ListLocksRequest__Output>
      LockHolder: MessageTypeDefinition<_holdfast_v1_LockHolder, _holdfast_v1_LockHolder__Output>
      LockList: MessageTypeDefinition<_holdfast_v1_LockList, _holdfast_v1_LockList__Output>
      LockLost: MessageTypeDefinition<_holdfast_v1_LockLost, _holdfast_v1_LockLost__Output>
      LockMode: EnumTypeDefinition
      LockReleased: MessageTypeDefinition<_holdfast_v1_LockReleased, _holdfast_v1_LockReleased__Output>
      LockState: MessageTypeDefinition<_holdfast_v1_LockState, _holdfast_v1_LockState__Output>
      /**
       * Locks of the whole fleet, granted by the authority that the policy names (`locks`): a Redis or a PostgreSQL.
       *
       * A lock is held by a grant, and a grant belongs to what it was acquired in: to the session, to the stream of Hold, or else to its lease, which its
       * holder renews. Within a session and a Hold the sidecar renews it. It ends with Release, with what it belongs to, at `max_hold_ms`, and when it is lost.
       *
       * Lost is a lock at the instant when its time to live has passed since its last renewal that the authority confirmed was sent. Its holder is told at once
       * (`LockLost` in a session, `lost` in a Hold), and transactions that named it are rolled back. With `fence` a holder that does not know yet cannot do
       * harm: its transactions are refused by the database itself (`FENCED`).
       *
       * Waiters are served first come, first served, across all sidecars.
       */
      Locks: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_LocksClient> & { service: _holdfast_v1_LocksDefinition }
      LossReason: EnumTypeDefinition
      Null: EnumTypeDefinition
      NullOrder: EnumTypeDefinition
      OutboxEvent: MessageTypeDefinition<_holdfast_v1_OutboxEvent, _holdfast_v1_OutboxEvent__Output>
      OutcomeRequest: MessageTypeDefinition<_holdfast_v1_OutcomeRequest, _holdfast_v1_OutcomeRequest__Output>
      OutcomeResult: MessageTypeDefinition<_holdfast_v1_OutcomeResult, _holdfast_v1_OutcomeResult__Output>
      PageRequest: MessageTypeDefinition<_holdfast_v1_PageRequest, _holdfast_v1_PageRequest__Output>
      PageResult: MessageTypeDefinition<_holdfast_v1_PageResult, _holdfast_v1_PageResult__Output>
      Permit: MessageTypeDefinition<_holdfast_v1_Permit, _holdfast_v1_Permit__Output>
      PipelineReply: MessageTypeDefinition<_holdfast_v1_PipelineReply, _holdfast_v1_PipelineReply__Output>
      PipelineRequest: MessageTypeDefinition<_holdfast_v1_PipelineRequest, _holdfast_v1_PipelineRequest__Output>
      /**
       * What the sidecar goes by just now.
       */
      Policies: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_PoliciesClient> & { service: _holdfast_v1_PoliciesDefinition }
      PolicyState: MessageTypeDefinition<_holdfast_v1_PolicyState, _holdfast_v1_PolicyState__Output>
      Priority: EnumTypeDefinition
      PublishReply: MessageTypeDefinition<_holdfast_v1_PublishReply, _holdfast_v1_PublishReply__Output>
      PublishRequest: MessageTypeDefinition<_holdfast_v1_PublishRequest, _holdfast_v1_PublishRequest__Output>
      QueryRequest: MessageTypeDefinition<_holdfast_v1_QueryRequest, _holdfast_v1_QueryRequest__Output>
      QueryResult: MessageTypeDefinition<_holdfast_v1_QueryResult, _holdfast_v1_QueryResult__Output>
      /**
       * Redis commands on connections that every call of the pod shares.
       *
       * A command whose answer was lost is never sent again (reason `REPLY_LOST`): only the caller knows whether that is safe.
       * Commands that break sharing, or that reach past one application's keys, are refused (`COMMAND_REFUSED`):
       * SUBSCRIBE, MONITOR, MULTI, WATCH, SELECT, AUTH, CLIENT, CONFIG, FLUSHALL, FLUSHDB, KEYS, SHUTDOWN …; see docs/redis.md.
       */
      Redis: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_RedisClient> & { service: _holdfast_v1_RedisDefinition }
      RedisArray: MessageTypeDefinition<_holdfast_v1_RedisArray, _holdfast_v1_RedisArray__Output>
      RedisCommand: MessageTypeDefinition<_holdfast_v1_RedisCommand, _holdfast_v1_RedisCommand__Output>
      RedisMessage: MessageTypeDefinition<_holdfast_v1_RedisMessage, _holdfast_v1_RedisMessage__Output>
      RedisReply: MessageTypeDefinition<_holdfast_v1_RedisReply, _holdfast_v1_RedisReply__Output>
      ReleaseLockRequest: MessageTypeDefinition<_holdfast_v1_ReleaseLockRequest, _holdfast_v1_ReleaseLockRequest__Output>
      ReleaseRequest: MessageTypeDefinition<_holdfast_v1_ReleaseRequest, _holdfast_v1_ReleaseRequest__Output>
      Released: MessageTypeDefinition<_holdfast_v1_Released, _holdfast_v1_Released__Output>
      RenewRequest: MessageTypeDefinition<_holdfast_v1_RenewRequest, _holdfast_v1_RenewRequest__Output>
      Renewed: MessageTypeDefinition<_holdfast_v1_Renewed, _holdfast_v1_Renewed__Output>
      Reservation: MessageTypeDefinition<_holdfast_v1_Reservation, _holdfast_v1_Reservation__Output>
      ReserveRequest: MessageTypeDefinition<_holdfast_v1_ReserveRequest, _holdfast_v1_ReserveRequest__Output>
      Rollback: MessageTypeDefinition<_holdfast_v1_Rollback, _holdfast_v1_Rollback__Output>
      RolledBack: MessageTypeDefinition<_holdfast_v1_RolledBack, _holdfast_v1_RolledBack__Output>
      Row: MessageTypeDefinition<_holdfast_v1_Row, _holdfast_v1_Row__Output>
      Savepoint: MessageTypeDefinition<_holdfast_v1_Savepoint, _holdfast_v1_Savepoint__Output>
      SavepointDone: MessageTypeDefinition<_holdfast_v1_SavepointDone, _holdfast_v1_SavepointDone__Output>
      ScriptRequest: MessageTypeDefinition<_holdfast_v1_ScriptRequest, _holdfast_v1_ScriptRequest__Output>
      ServerFrame: MessageTypeDefinition<_holdfast_v1_ServerFrame, _holdfast_v1_ServerFrame__Output>
      ServerFrames: MessageTypeDefinition<_holdfast_v1_ServerFrames, _holdfast_v1_ServerFrames__Output>
      /**
       * The fast way in: many calls on one stream, many frames in one message, both ways.
       *
       * A session is never needed for correctness: everything in it exists as a call of its own. It is five times cheaper.
       *
       * Rules:
       * * Every frame's id gets exactly one final answer; a cancelled one too. Answers come in any order.
       * * Frames of one transaction run in the order in which they were sent. All others are unordered.
       * * Half-close: what was sent is answered, then open transactions are rolled back.
       * * A message that does not decode, an id that is 0 or still in use, and a client that reads nothing for
       * `stall_ms` end the session, with a status that says so. Other sessions notice nothing.
       */
      Session: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_SessionClient> & { service: _holdfast_v1_SessionDefinition }
      SessionInfo: MessageTypeDefinition<_holdfast_v1_SessionInfo, _holdfast_v1_SessionInfo__Output>
      SettleRequest: MessageTypeDefinition<_holdfast_v1_SettleRequest, _holdfast_v1_SettleRequest__Output>
      Settled: MessageTypeDefinition<_holdfast_v1_Settled, _holdfast_v1_Settled__Output>
      Sort: MessageTypeDefinition<_holdfast_v1_Sort, _holdfast_v1_Sort__Output>
      Statement: MessageTypeDefinition<_holdfast_v1_Statement, _holdfast_v1_Statement__Output>
      StatementResult: MessageTypeDefinition<_holdfast_v1_StatementResult, _holdfast_v1_StatementResult__Output>
      StreamRequest: MessageTypeDefinition<_holdfast_v1_StreamRequest, _holdfast_v1_StreamRequest__Output>
      SubscribeEvent: MessageTypeDefinition<_holdfast_v1_SubscribeEvent, _holdfast_v1_SubscribeEvent__Output>
      SubscribeEventsRequest: MessageTypeDefinition<_holdfast_v1_SubscribeEventsRequest, _holdfast_v1_SubscribeEventsRequest__Output>
      SubscribeRequest: MessageTypeDefinition<_holdfast_v1_SubscribeRequest, _holdfast_v1_SubscribeRequest__Output>
      Subscribed: MessageTypeDefinition<_holdfast_v1_Subscribed, _holdfast_v1_Subscribed__Output>
      SubscriptionGap: MessageTypeDefinition<_holdfast_v1_SubscriptionGap, _holdfast_v1_SubscriptionGap__Output>
      TargetState: MessageTypeDefinition<_holdfast_v1_TargetState, _holdfast_v1_TargetState__Output>
      TransactionEnded: MessageTypeDefinition<_holdfast_v1_TransactionEnded, _holdfast_v1_TransactionEnded__Output>
      TransactionRequest: MessageTypeDefinition<_holdfast_v1_TransactionRequest, _holdfast_v1_TransactionRequest__Output>
      TransactionResponse: MessageTypeDefinition<_holdfast_v1_TransactionResponse, _holdfast_v1_TransactionResponse__Output>
      /**
       * HTTP calls through the sidecar, under the policy of their target: its address, its headers and secrets, its limits, retries and budget.
       *
       * An answer of the server is an answer, whatever its status: an HTTP 500 after all tries is returned, not an error. Errors are what the sidecar refuses,
       * and what has no answer: `UPSTREAM_UNAVAILABLE`, `TARGET_TIMEOUT`, `ANSWER_LOST`.
       */
      Upstream: SubtypeConstructor<typeof grpc.Client, _holdfast_v1_UpstreamClient> & { service: _holdfast_v1_UpstreamDefinition }
      UpstreamPart: MessageTypeDefinition<_holdfast_v1_UpstreamPart, _holdfast_v1_UpstreamPart__Output>
      UpstreamRequest: MessageTypeDefinition<_holdfast_v1_UpstreamRequest, _holdfast_v1_UpstreamRequest__Output>
      UpstreamResponse: MessageTypeDefinition<_holdfast_v1_UpstreamResponse, _holdfast_v1_UpstreamResponse__Output>
      Value: MessageTypeDefinition<_holdfast_v1_Value, _holdfast_v1_Value__Output>
    }
  }
}

