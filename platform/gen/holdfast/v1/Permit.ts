// Original file: proto/holdfast/v1/guard.proto


export interface Permit {
  /**
   * Names the permit in Exit. Unguessable.
   */
  'permitId'?: (string);
  /**
   * When it ends by itself, in ms from now; 0 is with the session.
   */
  'leaseMs'?: (number);
  /**
   * Longest time that the policy leaves the call (`timeout`), in ms; 0 for no limit. The application has to keep it itself.
   */
  'timeoutMs'?: (number);
}

export interface Permit__Output {
  /**
   * Names the permit in Exit. Unguessable.
   */
  'permitId': (string);
  /**
   * When it ends by itself, in ms from now; 0 is with the session.
   */
  'leaseMs': (number);
  /**
   * Longest time that the policy leaves the call (`timeout`), in ms; 0 for no limit. The application has to keep it itself.
   */
  'timeoutMs': (number);
}
