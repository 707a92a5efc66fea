// Original file: proto/holdfast/v1/redis.proto


export interface RedisMessage {
  'channel'?: (Buffer | Uint8Array | string);
  /**
   * The pattern that it came by; empty when the channel itself is subscribed to.
   */
  'pattern'?: (string);
  'payload'?: (Buffer | Uint8Array | string);
}

export interface RedisMessage__Output {
  'channel': (Buffer);
  /**
   * The pattern that it came by; empty when the channel itself is subscribed to.
   */
  'pattern': (string);
  'payload': (Buffer);
}
