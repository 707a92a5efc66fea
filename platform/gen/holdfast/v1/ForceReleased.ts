// Original file: proto/holdfast/v1/locks.proto


export interface ForceReleased {
  /**
   * Holders that have lost it.
   */
  'holders'?: (number);
}

export interface ForceReleased__Output {
  /**
   * Holders that have lost it.
   */
  'holders': (number);
}
