// Original file: proto/holdfast/v1/redis.proto

import type { RedisReply as _holdfast_v1_RedisReply, RedisReply__Output as _holdfast_v1_RedisReply__Output } from '../../holdfast/v1/RedisReply.ts';

export interface RedisArray {
  'items'?: (_holdfast_v1_RedisReply)[];
}

export interface RedisArray__Output {
  'items': (_holdfast_v1_RedisReply__Output)[];
}
