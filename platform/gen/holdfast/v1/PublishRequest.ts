// Original file: proto/holdfast/v1/redis.proto


export interface PublishRequest {
  'channel'?: (Buffer | Uint8Array | string);
  'message'?: (Buffer | Uint8Array | string);
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * SPUBLISH: only for those who subscribed to the shard channel (SSUBSCRIBE), at the node of a Cluster that has its hash slot.
   */
  'sharded'?: (boolean);
}

export interface PublishRequest__Output {
  'channel': (Buffer);
  'message': (Buffer);
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * SPUBLISH: only for those who subscribed to the shard channel (SSUBSCRIBE), at the node of a Cluster that has its hash slot.
   */
  'sharded': (boolean);
}
