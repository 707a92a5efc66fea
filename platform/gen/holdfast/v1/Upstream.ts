// Original file: proto/holdfast/v1/upstream.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { UpstreamPart as _holdfast_v1_UpstreamPart, UpstreamPart__Output as _holdfast_v1_UpstreamPart__Output } from '../../holdfast/v1/UpstreamPart.ts';
import type { UpstreamRequest as _holdfast_v1_UpstreamRequest, UpstreamRequest__Output as _holdfast_v1_UpstreamRequest__Output } from '../../holdfast/v1/UpstreamRequest.ts';
import type { UpstreamResponse as _holdfast_v1_UpstreamResponse, UpstreamResponse__Output as _holdfast_v1_UpstreamResponse__Output } from '../../holdfast/v1/UpstreamResponse.ts';

/**
 * HTTP calls through the sidecar, under the policy of their target: its address, its headers and secrets, its limits, retries and budget.
 *
 * An answer of the server is an answer, whatever its status: an HTTP 500 after all tries is returned, not an error. Errors are what the sidecar refuses,
 * and what has no answer: `UPSTREAM_UNAVAILABLE`, `TARGET_TIMEOUT`, `ANSWER_LOST`.
 */
export interface UpstreamClient extends grpc.Client {
  /**
   * The whole answer at once, up to `maxResponseBytes`.
   */
  Call(argument: _holdfast_v1_UpstreamRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  Call(argument: _holdfast_v1_UpstreamRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  Call(argument: _holdfast_v1_UpstreamRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  Call(argument: _holdfast_v1_UpstreamRequest, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  /**
   * The whole answer at once, up to `maxResponseBytes`.
   */
  call(argument: _holdfast_v1_UpstreamRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  call(argument: _holdfast_v1_UpstreamRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  call(argument: _holdfast_v1_UpstreamRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;
  call(argument: _holdfast_v1_UpstreamRequest, callback: grpc.requestCallback<_holdfast_v1_UpstreamResponse__Output>): grpc.ClientUnaryCall;

  /**
   * The answer as it comes, for large ones and for server-sent events. While the caller does not read, nothing is read from the server. There is no
   * retry after the first part was sent.
   */
  Stream(argument: _holdfast_v1_UpstreamRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_UpstreamPart__Output>;
  Stream(argument: _holdfast_v1_UpstreamRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_UpstreamPart__Output>;
  /**
   * The answer as it comes, for large ones and for server-sent events. While the caller does not read, nothing is read from the server. There is no
   * retry after the first part was sent.
   */
  stream(argument: _holdfast_v1_UpstreamRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_UpstreamPart__Output>;
  stream(argument: _holdfast_v1_UpstreamRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_UpstreamPart__Output>;

}

/**
 * HTTP calls through the sidecar, under the policy of their target: its address, its headers and secrets, its limits, retries and budget.
 *
 * An answer of the server is an answer, whatever its status: an HTTP 500 after all tries is returned, not an error. Errors are what the sidecar refuses,
 * and what has no answer: `UPSTREAM_UNAVAILABLE`, `TARGET_TIMEOUT`, `ANSWER_LOST`.
 */
export interface UpstreamHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The whole answer at once, up to `maxResponseBytes`.
   */
  Call: grpc.handleUnaryCall<_holdfast_v1_UpstreamRequest__Output, _holdfast_v1_UpstreamResponse>;

  /**
   * The answer as it comes, for large ones and for server-sent events. While the caller does not read, nothing is read from the server. There is no
   * retry after the first part was sent.
   */
  Stream: grpc.handleServerStreamingCall<_holdfast_v1_UpstreamRequest__Output, _holdfast_v1_UpstreamPart>;

}

export interface UpstreamDefinition extends grpc.ServiceDefinition {
  Call: MethodDefinition<_holdfast_v1_UpstreamRequest, _holdfast_v1_UpstreamResponse, _holdfast_v1_UpstreamRequest__Output, _holdfast_v1_UpstreamResponse__Output>
  Stream: MethodDefinition<_holdfast_v1_UpstreamRequest, _holdfast_v1_UpstreamPart, _holdfast_v1_UpstreamRequest__Output, _holdfast_v1_UpstreamPart__Output>
}
