// Original file: proto/holdfast/v1/database.proto


export interface OutcomeRequest {
  /**
   * As the work had it.
   */
  'commitId'?: (string);
  /**
   * The pool of the work; empty is `default`.
   */
  'pool'?: (string);
}

export interface OutcomeRequest__Output {
  /**
   * As the work had it.
   */
  'commitId': (string);
  /**
   * The pool of the work; empty is `default`.
   */
  'pool': (string);
}
