// Original file: proto/holdfast/v1/database.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BatchRequest as _holdfast_v1_BatchRequest, BatchRequest__Output as _holdfast_v1_BatchRequest__Output } from '../../holdfast/v1/BatchRequest.ts';
import type { BatchResult as _holdfast_v1_BatchResult, BatchResult__Output as _holdfast_v1_BatchResult__Output } from '../../holdfast/v1/BatchResult.ts';
import type { OutcomeRequest as _holdfast_v1_OutcomeRequest, OutcomeRequest__Output as _holdfast_v1_OutcomeRequest__Output } from '../../holdfast/v1/OutcomeRequest.ts';
import type { OutcomeResult as _holdfast_v1_OutcomeResult, OutcomeResult__Output as _holdfast_v1_OutcomeResult__Output } from '../../holdfast/v1/OutcomeResult.ts';
import type { PageRequest as _holdfast_v1_PageRequest, PageRequest__Output as _holdfast_v1_PageRequest__Output } from '../../holdfast/v1/PageRequest.ts';
import type { PageResult as _holdfast_v1_PageResult, PageResult__Output as _holdfast_v1_PageResult__Output } from '../../holdfast/v1/PageResult.ts';
import type { QueryRequest as _holdfast_v1_QueryRequest, QueryRequest__Output as _holdfast_v1_QueryRequest__Output } from '../../holdfast/v1/QueryRequest.ts';
import type { QueryResult as _holdfast_v1_QueryResult, QueryResult__Output as _holdfast_v1_QueryResult__Output } from '../../holdfast/v1/QueryResult.ts';
import type { StreamRequest as _holdfast_v1_StreamRequest, StreamRequest__Output as _holdfast_v1_StreamRequest__Output } from '../../holdfast/v1/StreamRequest.ts';
import type { TransactionRequest as _holdfast_v1_TransactionRequest, TransactionRequest__Output as _holdfast_v1_TransactionRequest__Output } from '../../holdfast/v1/TransactionRequest.ts';
import type { TransactionResponse as _holdfast_v1_TransactionResponse, TransactionResponse__Output as _holdfast_v1_TransactionResponse__Output } from '../../holdfast/v1/TransactionResponse.ts';

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
export interface DatabaseClient extends grpc.Client {
  /**
   * Runs several statements on one connection, sent together: one round trip for all of them.
   */
  Batch(argument: _holdfast_v1_BatchRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  Batch(argument: _holdfast_v1_BatchRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  Batch(argument: _holdfast_v1_BatchRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  Batch(argument: _holdfast_v1_BatchRequest, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  /**
   * Runs several statements on one connection, sent together: one round trip for all of them.
   */
  batch(argument: _holdfast_v1_BatchRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  batch(argument: _holdfast_v1_BatchRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  batch(argument: _holdfast_v1_BatchRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;
  batch(argument: _holdfast_v1_BatchRequest, callback: grpc.requestCallback<_holdfast_v1_BatchResult__Output>): grpc.ClientUnaryCall;

  /**
   * What became of work that had a `commit_id`, asked of the database itself: also after a crash of the caller, of the sidecar or of the
   * server. Work that is not committed by then never will be: its id is barred. Waits for work that is still open.
   */
  Outcome(argument: _holdfast_v1_OutcomeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  Outcome(argument: _holdfast_v1_OutcomeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  Outcome(argument: _holdfast_v1_OutcomeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  Outcome(argument: _holdfast_v1_OutcomeRequest, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  /**
   * What became of work that had a `commit_id`, asked of the database itself: also after a crash of the caller, of the sidecar or of the
   * server. Work that is not committed by then never will be: its id is barred. Waits for work that is still open.
   */
  outcome(argument: _holdfast_v1_OutcomeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  outcome(argument: _holdfast_v1_OutcomeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  outcome(argument: _holdfast_v1_OutcomeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;
  outcome(argument: _holdfast_v1_OutcomeRequest, callback: grpc.requestCallback<_holdfast_v1_OutcomeResult__Output>): grpc.ClientUnaryCall;

  /**
   * One page of a table or view, with filters and order, without writing SQL. Names are checked against the catalogue
   * and quoted, values travel as parameters: no text of a request ever becomes SQL.
   */
  Page(argument: _holdfast_v1_PageRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  Page(argument: _holdfast_v1_PageRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  Page(argument: _holdfast_v1_PageRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  Page(argument: _holdfast_v1_PageRequest, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  /**
   * One page of a table or view, with filters and order, without writing SQL. Names are checked against the catalogue
   * and quoted, values travel as parameters: no text of a request ever becomes SQL.
   */
  page(argument: _holdfast_v1_PageRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  page(argument: _holdfast_v1_PageRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  page(argument: _holdfast_v1_PageRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;
  page(argument: _holdfast_v1_PageRequest, callback: grpc.requestCallback<_holdfast_v1_PageResult__Output>): grpc.ClientUnaryCall;

  /**
   * Runs one statement in a transaction of its own (autocommit).
   */
  Query(argument: _holdfast_v1_QueryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  Query(argument: _holdfast_v1_QueryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  Query(argument: _holdfast_v1_QueryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  Query(argument: _holdfast_v1_QueryRequest, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  /**
   * Runs one statement in a transaction of its own (autocommit).
   */
  query(argument: _holdfast_v1_QueryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  query(argument: _holdfast_v1_QueryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  query(argument: _holdfast_v1_QueryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;
  query(argument: _holdfast_v1_QueryRequest, callback: grpc.requestCallback<_holdfast_v1_QueryResult__Output>): grpc.ClientUnaryCall;

  /**
   * Runs one query and sends its rows as they are read. The server reads on only as fast as the caller takes the rows.
   */
  Stream(argument: _holdfast_v1_StreamRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_QueryResult__Output>;
  Stream(argument: _holdfast_v1_StreamRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_QueryResult__Output>;
  /**
   * Runs one query and sends its rows as they are read. The server reads on only as fast as the caller takes the rows.
   */
  stream(argument: _holdfast_v1_StreamRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_QueryResult__Output>;
  stream(argument: _holdfast_v1_StreamRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_QueryResult__Output>;

  /**
   * One transaction. The first message is `begin`; every message gets exactly one answer, in order. The end of the
   * stream without `commit`, its cancellation or its deadline rolls back.
   */
  Transaction(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_TransactionRequest, _holdfast_v1_TransactionResponse__Output>;
  Transaction(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_TransactionRequest, _holdfast_v1_TransactionResponse__Output>;
  /**
   * One transaction. The first message is `begin`; every message gets exactly one answer, in order. The end of the
   * stream without `commit`, its cancellation or its deadline rolls back.
   */
  transaction(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_TransactionRequest, _holdfast_v1_TransactionResponse__Output>;
  transaction(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_TransactionRequest, _holdfast_v1_TransactionResponse__Output>;

}

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
export interface DatabaseHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Runs several statements on one connection, sent together: one round trip for all of them.
   */
  Batch: grpc.handleUnaryCall<_holdfast_v1_BatchRequest__Output, _holdfast_v1_BatchResult>;

  /**
   * What became of work that had a `commit_id`, asked of the database itself: also after a crash of the caller, of the sidecar or of the
   * server. Work that is not committed by then never will be: its id is barred. Waits for work that is still open.
   */
  Outcome: grpc.handleUnaryCall<_holdfast_v1_OutcomeRequest__Output, _holdfast_v1_OutcomeResult>;

  /**
   * One page of a table or view, with filters and order, without writing SQL. Names are checked against the catalogue
   * and quoted, values travel as parameters: no text of a request ever becomes SQL.
   */
  Page: grpc.handleUnaryCall<_holdfast_v1_PageRequest__Output, _holdfast_v1_PageResult>;

  /**
   * Runs one statement in a transaction of its own (autocommit).
   */
  Query: grpc.handleUnaryCall<_holdfast_v1_QueryRequest__Output, _holdfast_v1_QueryResult>;

  /**
   * Runs one query and sends its rows as they are read. The server reads on only as fast as the caller takes the rows.
   */
  Stream: grpc.handleServerStreamingCall<_holdfast_v1_StreamRequest__Output, _holdfast_v1_QueryResult>;

  /**
   * One transaction. The first message is `begin`; every message gets exactly one answer, in order. The end of the
   * stream without `commit`, its cancellation or its deadline rolls back.
   */
  Transaction: grpc.handleBidiStreamingCall<_holdfast_v1_TransactionRequest__Output, _holdfast_v1_TransactionResponse>;

}

export interface DatabaseDefinition extends grpc.ServiceDefinition {
  Batch: MethodDefinition<_holdfast_v1_BatchRequest, _holdfast_v1_BatchResult, _holdfast_v1_BatchRequest__Output, _holdfast_v1_BatchResult__Output>
  Outcome: MethodDefinition<_holdfast_v1_OutcomeRequest, _holdfast_v1_OutcomeResult, _holdfast_v1_OutcomeRequest__Output, _holdfast_v1_OutcomeResult__Output>
  Page: MethodDefinition<_holdfast_v1_PageRequest, _holdfast_v1_PageResult, _holdfast_v1_PageRequest__Output, _holdfast_v1_PageResult__Output>
  Query: MethodDefinition<_holdfast_v1_QueryRequest, _holdfast_v1_QueryResult, _holdfast_v1_QueryRequest__Output, _holdfast_v1_QueryResult__Output>
  Stream: MethodDefinition<_holdfast_v1_StreamRequest, _holdfast_v1_QueryResult, _holdfast_v1_StreamRequest__Output, _holdfast_v1_QueryResult__Output>
  Transaction: MethodDefinition<_holdfast_v1_TransactionRequest, _holdfast_v1_TransactionResponse, _holdfast_v1_TransactionRequest__Output, _holdfast_v1_TransactionResponse__Output>
}
