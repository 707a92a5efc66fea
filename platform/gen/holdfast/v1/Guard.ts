// Original file: proto/holdfast/v1/guard.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { EnterRequest as _holdfast_v1_EnterRequest, EnterRequest__Output as _holdfast_v1_EnterRequest__Output } from '../../holdfast/v1/EnterRequest.ts';
import type { ExitRequest as _holdfast_v1_ExitRequest, ExitRequest__Output as _holdfast_v1_ExitRequest__Output } from '../../holdfast/v1/ExitRequest.ts';
import type { Exited as _holdfast_v1_Exited, Exited__Output as _holdfast_v1_Exited__Output } from '../../holdfast/v1/Exited.ts';
import type { Permit as _holdfast_v1_Permit, Permit__Output as _holdfast_v1_Permit__Output } from '../../holdfast/v1/Permit.ts';

/**
 * The policy of a target around a call that the application makes itself: Enter, call, Exit.
 *
 * Enter waits for its turn and is refused like any other call: `BREAKER_OPEN`, `CONCURRENCY_LIMIT`, `COST_BUDGET_EXCEEDED`, `RATE_LIMITED`, each with
 * the time after which another try may succeed. What Exit tells moves the breaker and the adaptive limit of the target.
 *
 * A permit ends with Exit, with the session that it was entered in, or when its lease is over. One that ends without Exit says nothing of the target's
 * health, and is charged its estimate.
 */
export interface GuardClient extends grpc.Client {
  Enter(argument: _holdfast_v1_EnterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  Enter(argument: _holdfast_v1_EnterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  Enter(argument: _holdfast_v1_EnterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  Enter(argument: _holdfast_v1_EnterRequest, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  enter(argument: _holdfast_v1_EnterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  enter(argument: _holdfast_v1_EnterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  enter(argument: _holdfast_v1_EnterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;
  enter(argument: _holdfast_v1_EnterRequest, callback: grpc.requestCallback<_holdfast_v1_Permit__Output>): grpc.ClientUnaryCall;

  Exit(argument: _holdfast_v1_ExitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  Exit(argument: _holdfast_v1_ExitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  Exit(argument: _holdfast_v1_ExitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  Exit(argument: _holdfast_v1_ExitRequest, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  exit(argument: _holdfast_v1_ExitRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  exit(argument: _holdfast_v1_ExitRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  exit(argument: _holdfast_v1_ExitRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;
  exit(argument: _holdfast_v1_ExitRequest, callback: grpc.requestCallback<_holdfast_v1_Exited__Output>): grpc.ClientUnaryCall;

}

/**
 * The policy of a target around a call that the application makes itself: Enter, call, Exit.
 *
 * Enter waits for its turn and is refused like any other call: `BREAKER_OPEN`, `CONCURRENCY_LIMIT`, `COST_BUDGET_EXCEEDED`, `RATE_LIMITED`, each with
 * the time after which another try may succeed. What Exit tells moves the breaker and the adaptive limit of the target.
 *
 * A permit ends with Exit, with the session that it was entered in, or when its lease is over. One that ends without Exit says nothing of the target's
 * health, and is charged its estimate.
 */
export interface GuardHandlers extends grpc.UntypedServiceImplementation {
  Enter: grpc.handleUnaryCall<_holdfast_v1_EnterRequest__Output, _holdfast_v1_Permit>;

  Exit: grpc.handleUnaryCall<_holdfast_v1_ExitRequest__Output, _holdfast_v1_Exited>;

}

export interface GuardDefinition extends grpc.ServiceDefinition {
  Enter: MethodDefinition<_holdfast_v1_EnterRequest, _holdfast_v1_Permit, _holdfast_v1_EnterRequest__Output, _holdfast_v1_Permit__Output>
  Exit: MethodDefinition<_holdfast_v1_ExitRequest, _holdfast_v1_Exited, _holdfast_v1_ExitRequest__Output, _holdfast_v1_Exited__Output>
}
