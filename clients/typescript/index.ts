export type { Budget, BudgetOptions, Reservation, ReserveOptions } from './budget.ts';
export { Lock, Locks, type LockOptions } from './locks.ts';
export { connect, type ConnectOptions, type Holdfast } from './connect.ts';
export type { Database } from './database.ts';
export { type ClientReason, HoldfastError, type StatusName } from './errors.ts';
export type { Events, EventSubscription, ReceivedEvent } from './events.ts';
export type { EnterOptions, ExitOptions, Guard, GuardedCall, Permit } from './guard.ts';
export type {
  BatchOptions,
  BeginOptions,
  CallOptions,
  CommitOptions,
  OutboxEvent,
  Priority,
  QueryOptions,
  StreamOptions,
} from './options.ts';
export type {
  CommandOptions,
  PipelineOptions,
  PublishOptions,
  Redis,
  ScriptOptions,
  SubscribeOptions,
} from './redis.ts';
export type { BatchStatement } from './sql.ts';
export type { Savepoint, Transaction } from './transaction.ts';
export { type TextDecoder, toDate, type TypeDecoders } from './types/decoders.ts';
export { oids } from './types/oids.ts';
export type { Parameter } from './types/parameters.ts';
export type { Upstream, UpstreamCall, UpstreamInit } from './upstream.ts';
export type { UpstreamAnswer, UpstreamStream } from './upstream-answer.ts';
export type { BudgetState } from './wire/budget-messages.ts';
export type { CommittedEvent } from './wire/event-messages.ts';
export type { CallOutcome } from './wire/guard-messages.ts';
export type { CommitOutcome } from './wire/outcome-messages.ts';
export type { Filter, PageQuery, PageResult, Sort } from './wire/page-messages.ts';
export type { QueryResult, Row } from './wire/query-result.ts';
export type { RedisArgument, RedisValue } from './wire/redis-messages.ts';
export type { SubscriptionEvent } from './wire/subscription-messages.ts';
export type { AnswerSource, HttpHeader } from './wire/upstream-messages.ts';
export type { Column } from './wire/shape.ts';
