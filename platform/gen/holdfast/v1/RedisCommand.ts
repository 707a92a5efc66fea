// Original file: proto/holdfast/v1/redis.proto


export interface RedisCommand {
  'args'?: (Buffer | Uint8Array | string)[];
}

export interface RedisCommand__Output {
  'args': (Buffer)[];
}
