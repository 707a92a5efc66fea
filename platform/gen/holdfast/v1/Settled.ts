// Original file: proto/holdfast/v1/budgets.proto


export interface Settled {
  /**
   * What was spent above what was put aside. Nobody could refuse it any more, but it is taken from what is left.
   */
  'overshoot'?: (number | string);
}

export interface Settled__Output {
  /**
   * What was spent above what was put aside. Nobody could refuse it any more, but it is taken from what is left.
   */
  'overshoot': (number);
}
