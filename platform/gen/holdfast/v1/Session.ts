// Original file: proto/holdfast/v1/session.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ClientFrames as _holdfast_v1_ClientFrames, ClientFrames__Output as _holdfast_v1_ClientFrames__Output } from '../../holdfast/v1/ClientFrames.ts';
import type { ServerFrames as _holdfast_v1_ServerFrames, ServerFrames__Output as _holdfast_v1_ServerFrames__Output } from '../../holdfast/v1/ServerFrames.ts';

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
export interface SessionClient extends grpc.Client {
  Open(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_ClientFrames, _holdfast_v1_ServerFrames__Output>;
  Open(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_ClientFrames, _holdfast_v1_ServerFrames__Output>;
  open(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_ClientFrames, _holdfast_v1_ServerFrames__Output>;
  open(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_ClientFrames, _holdfast_v1_ServerFrames__Output>;

}

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
export interface SessionHandlers extends grpc.UntypedServiceImplementation {
  Open: grpc.handleBidiStreamingCall<_holdfast_v1_ClientFrames__Output, _holdfast_v1_ServerFrames>;

}

export interface SessionDefinition extends grpc.ServiceDefinition {
  Open: MethodDefinition<_holdfast_v1_ClientFrames, _holdfast_v1_ServerFrames, _holdfast_v1_ClientFrames__Output, _holdfast_v1_ServerFrames__Output>
}
