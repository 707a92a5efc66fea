// Original file: proto/holdfast/v1/guard.proto


export interface EnterRequest {
  /**
   * Name of a target of kind Guard.
   */
  'target'?: (string);
  /**
   * How long the call may take, in ms; then the permit ends. 0 is 60 s outside of sessions, and as long as the session within one. At most an hour.
   */
  'leaseMs'?: (number);
  /**
   * What the call will cost at most; absent is the policy's `estimate`. Only for targets with `cost`.
   */
  'cost'?: (number | string);
  /**
   * Whose budget it is: each key has the limit for itself. At most 200 bytes; empty is a key too.
   */
  'costKey'?: (string);
  '_cost'?: "cost";
}

export interface EnterRequest__Output {
  /**
   * Name of a target of kind Guard.
   */
  'target': (string);
  /**
   * How long the call may take, in ms; then the permit ends. 0 is 60 s outside of sessions, and as long as the session within one. At most an hour.
   */
  'leaseMs': (number);
  /**
   * What the call will cost at most; absent is the policy's `estimate`. Only for targets with `cost`.
   */
  'cost'?: (number);
  /**
   * Whose budget it is: each key has the limit for itself. At most 200 bytes; empty is a key too.
   */
  'costKey': (string);
  '_cost'?: "cost";
}
