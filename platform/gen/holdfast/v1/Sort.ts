// Original file: proto/holdfast/v1/database.proto

import type { NullOrder as _holdfast_v1_NullOrder, NullOrder__Output as _holdfast_v1_NullOrder__Output } from '../../holdfast/v1/NullOrder.ts';

export interface Sort {
  'column'?: (string);
  'descending'?: (boolean);
  /**
   * Where NULLs go; the default is PostgreSQL's: last when ascending, first when descending.
   */
  'nulls'?: (_holdfast_v1_NullOrder);
}

export interface Sort__Output {
  'column': (string);
  'descending': (boolean);
  /**
   * Where NULLs go; the default is PostgreSQL's: last when ascending, first when descending.
   */
  'nulls': (_holdfast_v1_NullOrder__Output);
}
