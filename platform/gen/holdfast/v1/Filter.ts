// Original file: proto/holdfast/v1/database.proto

import type { FilterOperator as _holdfast_v1_FilterOperator, FilterOperator__Output as _holdfast_v1_FilterOperator__Output } from '../../holdfast/v1/FilterOperator.ts';
import type { Value as _holdfast_v1_Value, Value__Output as _holdfast_v1_Value__Output } from '../../holdfast/v1/Value.ts';

export interface Filter {
  'column'?: (string);
  'operator'?: (_holdfast_v1_FilterOperator);
  /**
   * One value, except where the operator says otherwise. A NULL value is refused: use IS_NULL.
   */
  'values'?: (_holdfast_v1_Value)[];
}

export interface Filter__Output {
  'column': (string);
  'operator': (_holdfast_v1_FilterOperator__Output);
  /**
   * One value, except where the operator says otherwise. A NULL value is refused: use IS_NULL.
   */
  'values': (_holdfast_v1_Value__Output)[];
}
