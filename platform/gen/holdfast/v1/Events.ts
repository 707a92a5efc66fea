// Original file: proto/holdfast/v1/events.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AckRequest as _holdfast_v1_AckRequest, AckRequest__Output as _holdfast_v1_AckRequest__Output } from '../../holdfast/v1/AckRequest.ts';
import type { Acked as _holdfast_v1_Acked, Acked__Output as _holdfast_v1_Acked__Output } from '../../holdfast/v1/Acked.ts';
import type { Event as _holdfast_v1_Event, Event__Output as _holdfast_v1_Event__Output } from '../../holdfast/v1/Event.ts';
import type { SubscribeEventsRequest as _holdfast_v1_SubscribeEventsRequest, SubscribeEventsRequest__Output as _holdfast_v1_SubscribeEventsRequest__Output } from '../../holdfast/v1/SubscribeEventsRequest.ts';

/**
 * Events that were written with a transaction (`Commit.events`): there if and only if it was committed.
 *
 * A subscriber has a name, and its place is kept in the database: after a break it goes on behind what it acknowledged last. At least once: an event that
 * was not acknowledged comes again, with the same `cursor` and `seq`. Events of one key come in the order of their transactions.
 */
export interface EventsClient extends grpc.Client {
  /**
   * Everything up to here has been dealt with.
   */
  Ack(argument: _holdfast_v1_AckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  Ack(argument: _holdfast_v1_AckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  Ack(argument: _holdfast_v1_AckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  Ack(argument: _holdfast_v1_AckRequest, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  /**
   * Everything up to here has been dealt with.
   */
  ack(argument: _holdfast_v1_AckRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  ack(argument: _holdfast_v1_AckRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  ack(argument: _holdfast_v1_AckRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;
  ack(argument: _holdfast_v1_AckRequest, callback: grpc.requestCallback<_holdfast_v1_Acked__Output>): grpc.ClientUnaryCall;

  Subscribe(argument: _holdfast_v1_SubscribeEventsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_Event__Output>;
  Subscribe(argument: _holdfast_v1_SubscribeEventsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_Event__Output>;
  subscribe(argument: _holdfast_v1_SubscribeEventsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_Event__Output>;
  subscribe(argument: _holdfast_v1_SubscribeEventsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_Event__Output>;

}

/**
 * Events that were written with a transaction (`Commit.events`): there if and only if it was committed.
 *
 * A subscriber has a name, and its place is kept in the database: after a break it goes on behind what it acknowledged last. At least once: an event that
 * was not acknowledged comes again, with the same `cursor` and `seq`. Events of one key come in the order of their transactions.
 */
export interface EventsHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Everything up to here has been dealt with.
   */
  Ack: grpc.handleUnaryCall<_holdfast_v1_AckRequest__Output, _holdfast_v1_Acked>;

  Subscribe: grpc.handleServerStreamingCall<_holdfast_v1_SubscribeEventsRequest__Output, _holdfast_v1_Event>;

}

export interface EventsDefinition extends grpc.ServiceDefinition {
  Ack: MethodDefinition<_holdfast_v1_AckRequest, _holdfast_v1_Acked, _holdfast_v1_AckRequest__Output, _holdfast_v1_Acked__Output>
  Subscribe: MethodDefinition<_holdfast_v1_SubscribeEventsRequest, _holdfast_v1_Event, _holdfast_v1_SubscribeEventsRequest__Output, _holdfast_v1_Event__Output>
}
