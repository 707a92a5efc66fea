// Original file: proto/holdfast/v1/redis.proto


export interface CommandRequest {
  /**
   * The command's name, then its arguments: [`SET`, `key`, `value`, `PX`, `1000`]. At most 1,048,576 arguments and 64 MiB.
   */
  'args'?: (Buffer | Uint8Array | string)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * As in QueryRequest. Commands that only read need no such word.
   */
  'idempotent'?: (boolean);
}

export interface CommandRequest__Output {
  /**
   * The command's name, then its arguments: [`SET`, `key`, `value`, `PX`, `1000`]. At most 1,048,576 arguments and 64 MiB.
   */
  'args': (Buffer)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * As in QueryRequest. Commands that only read need no such word.
   */
  'idempotent': (boolean);
}
