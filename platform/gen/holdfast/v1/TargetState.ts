// Original file: proto/holdfast/v1/policies.proto


export interface TargetState {
  /**
   * `Postgres`, `Redis`, `Upstream` or `Guard`.
   */
  'kind'?: (string);
  'name'?: (string);
  /**
   * `closed`, `open`, `half-open`; empty without a breaker.
   */
  'breaker'?: (string);
  'inFlight'?: (number);
  'waiting'?: (number);
  /**
   * Most calls at once, just now; 0 without a limit.
   */
  'limit'?: (number);
  /**
   * Whether a policy in shadow mode is rehearsed for it.
   */
  'shadowed'?: (boolean);
}

export interface TargetState__Output {
  /**
   * `Postgres`, `Redis`, `Upstream` or `Guard`.
   */
  'kind': (string);
  'name': (string);
  /**
   * `closed`, `open`, `half-open`; empty without a breaker.
   */
  'breaker': (string);
  'inFlight': (number);
  'waiting': (number);
  /**
   * Most calls at once, just now; 0 without a limit.
   */
  'limit': (number);
  /**
   * Whether a policy in shadow mode is rehearsed for it.
   */
  'shadowed': (boolean);
}
