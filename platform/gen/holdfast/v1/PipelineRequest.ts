// Original file: proto/holdfast/v1/redis.proto

import type { RedisCommand as _holdfast_v1_RedisCommand, RedisCommand__Output as _holdfast_v1_RedisCommand__Output } from '../../holdfast/v1/RedisCommand.ts';

export interface PipelineRequest {
  /**
   * At most 10,000.
   */
  'commands'?: (_holdfast_v1_RedisCommand)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * As in QueryRequest, for all commands.
   */
  'idempotent'?: (boolean);
}

export interface PipelineRequest__Output {
  /**
   * At most 10,000.
   */
  'commands': (_holdfast_v1_RedisCommand__Output)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * As in QueryRequest, for all commands.
   */
  'idempotent': (boolean);
}
