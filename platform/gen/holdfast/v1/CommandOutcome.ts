// Original file: proto/holdfast/v1/redis.proto

import type { RedisReply as _holdfast_v1_RedisReply, RedisReply__Output as _holdfast_v1_RedisReply__Output } from '../../holdfast/v1/RedisReply.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

export interface CommandOutcome {
  'reply'?: (_holdfast_v1_RedisReply | null);
  'error'?: (_google_rpc_Status | null);
  'outcome'?: "reply"|"error";
}

export interface CommandOutcome__Output {
  'reply'?: (_holdfast_v1_RedisReply__Output | null);
  'error'?: (_google_rpc_Status__Output | null);
  'outcome'?: "reply"|"error";
}
