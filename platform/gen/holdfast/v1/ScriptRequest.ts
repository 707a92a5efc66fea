// Original file: proto/holdfast/v1/redis.proto


export interface ScriptRequest {
  /**
   * Lua, at most 1 MiB; it may begin with a line `#!lua flags=…`. Keys and arguments are in KEYS and ARGV.
   */
  'body'?: (string);
  /**
   * Every key that the script touches.
   */
  'keys'?: (Buffer | Uint8Array | string)[];
  'args'?: (Buffer | Uint8Array | string)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * Names this one operation for ever: 1 to 128 letters, digits and `._:-`, such as a UUID. The reply is kept in Redis beside the first key,
   * for `operationTtlMs` of the policy. The same id with the same body and keys is answered with it, without running the script again.
   */
  'operationId'?: (string);
  /**
   * As in QueryRequest, for a script without an operation id.
   */
  'idempotent'?: (boolean);
}

export interface ScriptRequest__Output {
  /**
   * Lua, at most 1 MiB; it may begin with a line `#!lua flags=…`. Keys and arguments are in KEYS and ARGV.
   */
  'body': (string);
  /**
   * Every key that the script touches.
   */
  'keys': (Buffer)[];
  'args': (Buffer)[];
  /**
   * Which Redis of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * Names this one operation for ever: 1 to 128 letters, digits and `._:-`, such as a UUID. The reply is kept in Redis beside the first key,
   * for `operationTtlMs` of the policy. The same id with the same body and keys is answered with it, without running the script again.
   */
  'operationId': (string);
  /**
   * As in QueryRequest, for a script without an operation id.
   */
  'idempotent': (boolean);
}
