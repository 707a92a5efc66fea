// Original file: proto/holdfast/v1/database.proto

export const NullOrder = {
  NULL_ORDER_UNSPECIFIED: 'NULL_ORDER_UNSPECIFIED',
  NULL_ORDER_FIRST: 'NULL_ORDER_FIRST',
  NULL_ORDER_LAST: 'NULL_ORDER_LAST',
} as const;

export type NullOrder =
  | 'NULL_ORDER_UNSPECIFIED'
  | 0
  | 'NULL_ORDER_FIRST'
  | 1
  | 'NULL_ORDER_LAST'
  | 2

export type NullOrder__Output = typeof NullOrder[keyof typeof NullOrder]
