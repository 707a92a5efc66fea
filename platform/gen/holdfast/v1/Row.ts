// Original file: proto/holdfast/v1/database.proto

import type { Cell as _holdfast_v1_Cell, Cell__Output as _holdfast_v1_Cell__Output } from '../../holdfast/v1/Cell.ts';

export interface Row {
  /**
   * One for each column, in order.
   */
  'cells'?: (_holdfast_v1_Cell)[];
}

export interface Row__Output {
  /**
   * One for each column, in order.
   */
  'cells': (_holdfast_v1_Cell__Output)[];
}
