// Original file: proto/holdfast/v1/database.proto

export const FilterOperator = {
  FILTER_OPERATOR_UNSPECIFIED: 'FILTER_OPERATOR_UNSPECIFIED',
  FILTER_OPERATOR_EQ: 'FILTER_OPERATOR_EQ',
  FILTER_OPERATOR_NE: 'FILTER_OPERATOR_NE',
  FILTER_OPERATOR_LT: 'FILTER_OPERATOR_LT',
  FILTER_OPERATOR_LE: 'FILTER_OPERATOR_LE',
  FILTER_OPERATOR_GT: 'FILTER_OPERATOR_GT',
  FILTER_OPERATOR_GE: 'FILTER_OPERATOR_GE',
  /**
   * One or more values.
   */
  FILTER_OPERATOR_IN: 'FILTER_OPERATOR_IN',
  /**
   * One text value with `%` and `_`.
   */
  FILTER_OPERATOR_LIKE: 'FILTER_OPERATOR_LIKE',
  FILTER_OPERATOR_ILIKE: 'FILTER_OPERATOR_ILIKE',
  /**
   * No value.
   */
  FILTER_OPERATOR_IS_NULL: 'FILTER_OPERATOR_IS_NULL',
  FILTER_OPERATOR_IS_NOT_NULL: 'FILTER_OPERATOR_IS_NOT_NULL',
} as const;

export type FilterOperator =
  | 'FILTER_OPERATOR_UNSPECIFIED'
  | 0
  | 'FILTER_OPERATOR_EQ'
  | 1
  | 'FILTER_OPERATOR_NE'
  | 2
  | 'FILTER_OPERATOR_LT'
  | 3
  | 'FILTER_OPERATOR_LE'
  | 4
  | 'FILTER_OPERATOR_GT'
  | 5
  | 'FILTER_OPERATOR_GE'
  | 6
  /**
   * One or more values.
   */
  | 'FILTER_OPERATOR_IN'
  | 7
  /**
   * One text value with `%` and `_`.
   */
  | 'FILTER_OPERATOR_LIKE'
  | 8
  | 'FILTER_OPERATOR_ILIKE'
  | 9
  /**
   * No value.
   */
  | 'FILTER_OPERATOR_IS_NULL'
  | 10
  | 'FILTER_OPERATOR_IS_NOT_NULL'
  | 11

export type FilterOperator__Output = typeof FilterOperator[keyof typeof FilterOperator]
