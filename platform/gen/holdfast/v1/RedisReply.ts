// Original file: proto/holdfast/v1/redis.proto

import type { Null as _holdfast_v1_Null, Null__Output as _holdfast_v1_Null__Output } from '../../holdfast/v1/Null.ts';
import type { RedisArray as _holdfast_v1_RedisArray, RedisArray__Output as _holdfast_v1_RedisArray__Output } from '../../holdfast/v1/RedisArray.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What Redis answered.
 */
export interface RedisReply {
  'null'?: (_holdfast_v1_Null);
  'integer'?: (number | string | Long);
  /**
   * A string of any kind; status answers such as `OK` too.
   */
  'bytes'?: (Buffer | Uint8Array | string);
  'array'?: (_holdfast_v1_RedisArray | null);
  /**
   * An error inside an array, as EXEC and scripts return them: `WRONGTYPE …`. An error as the whole answer is the call's gRPC status.
   */
  'error'?: (string);
  'kind'?: "null"|"integer"|"bytes"|"array"|"error";
}

/**
 * What Redis answered.
 */
export interface RedisReply__Output {
  'null'?: (_holdfast_v1_Null__Output);
  'integer'?: (string);
  /**
   * A string of any kind; status answers such as `OK` too.
   */
  'bytes'?: (Buffer);
  'array'?: (_holdfast_v1_RedisArray__Output | null);
  /**
   * An error inside an array, as EXEC and scripts return them: `WRONGTYPE …`. An error as the whole answer is the call's gRPC status.
   */
  'error'?: (string);
  'kind'?: "null"|"integer"|"bytes"|"array"|"error";
}
