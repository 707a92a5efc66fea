// Original file: proto/holdfast/v1/common.proto

/**
 * Who goes first when calls have to wait. Within one priority the order is first come, first served.
 * Unary calls name it in the metadata key `holdfast-priority` (`high`, `normal`, `low`).
 */
export const Priority = {
  /**
   * The same as PRIORITY_NORMAL.
   */
  PRIORITY_UNSPECIFIED: 'PRIORITY_UNSPECIFIED',
  PRIORITY_HIGH: 'PRIORITY_HIGH',
  PRIORITY_NORMAL: 'PRIORITY_NORMAL',
  PRIORITY_LOW: 'PRIORITY_LOW',
} as const;

/**
 * Who goes first when calls have to wait. Within one priority the order is first come, first served.
 * Unary calls name it in the metadata key `holdfast-priority` (`high`, `normal`, `low`).
 */
export type Priority =
  /**
   * The same as PRIORITY_NORMAL.
   */
  | 'PRIORITY_UNSPECIFIED'
  | 0
  | 'PRIORITY_HIGH'
  | 1
  | 'PRIORITY_NORMAL'
  | 2
  | 'PRIORITY_LOW'
  | 3

/**
 * Who goes first when calls have to wait. Within one priority the order is first come, first served.
 * Unary calls name it in the metadata key `holdfast-priority` (`high`, `normal`, `low`).
 */
export type Priority__Output = typeof Priority[keyof typeof Priority]
