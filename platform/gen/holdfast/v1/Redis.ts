// Original file: proto/holdfast/v1/redis.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CommandRequest as _holdfast_v1_CommandRequest, CommandRequest__Output as _holdfast_v1_CommandRequest__Output } from '../../holdfast/v1/CommandRequest.ts';
import type { PipelineReply as _holdfast_v1_PipelineReply, PipelineReply__Output as _holdfast_v1_PipelineReply__Output } from '../../holdfast/v1/PipelineReply.ts';
import type { PipelineRequest as _holdfast_v1_PipelineRequest, PipelineRequest__Output as _holdfast_v1_PipelineRequest__Output } from '../../holdfast/v1/PipelineRequest.ts';
import type { PublishReply as _holdfast_v1_PublishReply, PublishReply__Output as _holdfast_v1_PublishReply__Output } from '../../holdfast/v1/PublishReply.ts';
import type { PublishRequest as _holdfast_v1_PublishRequest, PublishRequest__Output as _holdfast_v1_PublishRequest__Output } from '../../holdfast/v1/PublishRequest.ts';
import type { RedisReply as _holdfast_v1_RedisReply, RedisReply__Output as _holdfast_v1_RedisReply__Output } from '../../holdfast/v1/RedisReply.ts';
import type { ScriptRequest as _holdfast_v1_ScriptRequest, ScriptRequest__Output as _holdfast_v1_ScriptRequest__Output } from '../../holdfast/v1/ScriptRequest.ts';
import type { SubscribeEvent as _holdfast_v1_SubscribeEvent, SubscribeEvent__Output as _holdfast_v1_SubscribeEvent__Output } from '../../holdfast/v1/SubscribeEvent.ts';
import type { SubscribeRequest as _holdfast_v1_SubscribeRequest, SubscribeRequest__Output as _holdfast_v1_SubscribeRequest__Output } from '../../holdfast/v1/SubscribeRequest.ts';

/**
 * Redis commands on connections that every call of the pod shares.
 *
 * A command whose answer was lost is never sent again (reason `REPLY_LOST`): only the caller knows whether that is safe.
 * Commands that break sharing, or that reach past one application's keys, are refused (`COMMAND_REFUSED`):
 * SUBSCRIBE, MONITOR, MULTI, WATCH, SELECT, AUTH, CLIENT, CONFIG, FLUSHALL, FLUSHDB, KEYS, SHUTDOWN …; see docs/redis.md.
 */
export interface RedisClient extends grpc.Client {
  /**
   * Runs one command.
   */
  Command(argument: _holdfast_v1_CommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  Command(argument: _holdfast_v1_CommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  Command(argument: _holdfast_v1_CommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  Command(argument: _holdfast_v1_CommandRequest, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  /**
   * Runs one command.
   */
  command(argument: _holdfast_v1_CommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  command(argument: _holdfast_v1_CommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  command(argument: _holdfast_v1_CommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  command(argument: _holdfast_v1_CommandRequest, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;

  /**
   * Runs several commands in order, sent together. Other callers' commands may run in between, unless it is `atomic`.
   */
  Pipeline(argument: _holdfast_v1_PipelineRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  Pipeline(argument: _holdfast_v1_PipelineRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  Pipeline(argument: _holdfast_v1_PipelineRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  Pipeline(argument: _holdfast_v1_PipelineRequest, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  /**
   * Runs several commands in order, sent together. Other callers' commands may run in between, unless it is `atomic`.
   */
  pipeline(argument: _holdfast_v1_PipelineRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  pipeline(argument: _holdfast_v1_PipelineRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  pipeline(argument: _holdfast_v1_PipelineRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;
  pipeline(argument: _holdfast_v1_PipelineRequest, callback: grpc.requestCallback<_holdfast_v1_PipelineReply__Output>): grpc.ClientUnaryCall;

  /**
   * Sends a message to whoever subscribes to a channel just now.
   */
  Publish(argument: _holdfast_v1_PublishRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  Publish(argument: _holdfast_v1_PublishRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  Publish(argument: _holdfast_v1_PublishRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  Publish(argument: _holdfast_v1_PublishRequest, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  /**
   * Sends a message to whoever subscribes to a channel just now.
   */
  publish(argument: _holdfast_v1_PublishRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  publish(argument: _holdfast_v1_PublishRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  publish(argument: _holdfast_v1_PublishRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;
  publish(argument: _holdfast_v1_PublishRequest, callback: grpc.requestCallback<_holdfast_v1_PublishReply__Output>): grpc.ClientUnaryCall;

  /**
   * Runs a Lua script, which Redis keeps after the first time. With an `operation_id` it takes effect once, however often it is sent.
   */
  Script(argument: _holdfast_v1_ScriptRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  Script(argument: _holdfast_v1_ScriptRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  Script(argument: _holdfast_v1_ScriptRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  Script(argument: _holdfast_v1_ScriptRequest, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  /**
   * Runs a Lua script, which Redis keeps after the first time. With an `operation_id` it takes effect once, however often it is sent.
   */
  script(argument: _holdfast_v1_ScriptRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  script(argument: _holdfast_v1_ScriptRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  script(argument: _holdfast_v1_ScriptRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;
  script(argument: _holdfast_v1_ScriptRequest, callback: grpc.requestCallback<_holdfast_v1_RedisReply__Output>): grpc.ClientUnaryCall;

  /**
   * Messages of channels and patterns, until the caller ends it. When the connection to Redis was away, or the caller did not keep up, a `gap`
   * stands where messages are missing.
   */
  Subscribe(argument: _holdfast_v1_SubscribeRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SubscribeEvent__Output>;
  Subscribe(argument: _holdfast_v1_SubscribeRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SubscribeEvent__Output>;
  /**
   * Messages of channels and patterns, until the caller ends it. When the connection to Redis was away, or the caller did not keep up, a `gap`
   * stands where messages are missing.
   */
  subscribe(argument: _holdfast_v1_SubscribeRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SubscribeEvent__Output>;
  subscribe(argument: _holdfast_v1_SubscribeRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SubscribeEvent__Output>;

}

/**
 * Redis commands on connections that every call of the pod shares.
 *
 * A command whose answer was lost is never sent again (reason `REPLY_LOST`): only the caller knows whether that is safe.
 * Commands that break sharing, or that reach past one application's keys, are refused (`COMMAND_REFUSED`):
 * SUBSCRIBE, MONITOR, MULTI, WATCH, SELECT, AUTH, CLIENT, CONFIG, FLUSHALL, FLUSHDB, KEYS, SHUTDOWN …; see docs/redis.md.
 */
export interface RedisHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Runs one command.
   */
  Command: grpc.handleUnaryCall<_holdfast_v1_CommandRequest__Output, _holdfast_v1_RedisReply>;

  /**
   * Runs several commands in order, sent together. Other callers' commands may run in between, unless it is `atomic`.
   */
  Pipeline: grpc.handleUnaryCall<_holdfast_v1_PipelineRequest__Output, _holdfast_v1_PipelineReply>;

  /**
   * Sends a message to whoever subscribes to a channel just now.
   */
  Publish: grpc.handleUnaryCall<_holdfast_v1_PublishRequest__Output, _holdfast_v1_PublishReply>;

  /**
   * Runs a Lua script, which Redis keeps after the first time. With an `operation_id` it takes effect once, however often it is sent.
   */
  Script: grpc.handleUnaryCall<_holdfast_v1_ScriptRequest__Output, _holdfast_v1_RedisReply>;

  /**
   * Messages of channels and patterns, until the caller ends it. When the connection to Redis was away, or the caller did not keep up, a `gap`
   * stands where messages are missing.
   */
  Subscribe: grpc.handleServerStreamingCall<_holdfast_v1_SubscribeRequest__Output, _holdfast_v1_SubscribeEvent>;

}

export interface RedisDefinition extends grpc.ServiceDefinition {
  Command: MethodDefinition<_holdfast_v1_CommandRequest, _holdfast_v1_RedisReply, _holdfast_v1_CommandRequest__Output, _holdfast_v1_RedisReply__Output>
  Pipeline: MethodDefinition<_holdfast_v1_PipelineRequest, _holdfast_v1_PipelineReply, _holdfast_v1_PipelineRequest__Output, _holdfast_v1_PipelineReply__Output>
  Publish: MethodDefinition<_holdfast_v1_PublishRequest, _holdfast_v1_PublishReply, _holdfast_v1_PublishRequest__Output, _holdfast_v1_PublishReply__Output>
  Script: MethodDefinition<_holdfast_v1_ScriptRequest, _holdfast_v1_RedisReply, _holdfast_v1_ScriptRequest__Output, _holdfast_v1_RedisReply__Output>
  Subscribe: MethodDefinition<_holdfast_v1_SubscribeRequest, _holdfast_v1_SubscribeEvent, _holdfast_v1_SubscribeRequest__Output, _holdfast_v1_SubscribeEvent__Output>
}
