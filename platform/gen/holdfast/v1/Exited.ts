// Original file: proto/holdfast/v1/guard.proto


export interface Exited {
  /**
   * What the call did cost above what was put aside for it.
   */
  'overshoot'?: (number | string);
}

export interface Exited__Output {
  /**
   * What the call did cost above what was put aside for it.
   */
  'overshoot': (number);
}
