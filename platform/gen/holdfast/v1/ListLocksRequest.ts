// Original file: proto/holdfast/v1/locks.proto


export interface ListLocksRequest {
  /**
   * Only names that begin so.
   */
  'prefix'?: (string);
  /**
   * At most 1,000; 0 is 100.
   */
  'limit'?: (number);
}

export interface ListLocksRequest__Output {
  /**
   * Only names that begin so.
   */
  'prefix': (string);
  /**
   * At most 1,000; 0 is 100.
   */
  'limit': (number);
}
