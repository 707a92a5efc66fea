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
  /**
   * All of them or none, with nothing in between (MULTI … EXEC). A command that fails while it runs does not undo the others: Redis has no
   * rollback. One that Redis does not even take fails the whole call, and nothing has run.
   */
  'atomic'?: (boolean);
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
  /**
   * All of them or none, with nothing in between (MULTI … EXEC). A command that fails while it runs does not undo the others: Redis has no
   * rollback. One that Redis does not even take fails the whole call, and nothing has run.
   */
  'atomic': (boolean);
}
