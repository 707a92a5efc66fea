// Original file: proto/holdfast/v1/redis.proto


/**
 * At least one channel or pattern, at most 10,000.
 */
export interface SubscribeRequest {
  'channels'?: (Buffer | Uint8Array | string)[];
  /**
   * As PSUBSCRIBE takes them: `news.*`.
   */
  'patterns'?: (string)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool'?: (string);
}

/**
 * At least one channel or pattern, at most 10,000.
 */
export interface SubscribeRequest__Output {
  'channels': (Buffer)[];
  /**
   * As PSUBSCRIBE takes them: `news.*`.
   */
  'patterns': (string)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool': (string);
}
