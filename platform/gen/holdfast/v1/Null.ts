// Original file: proto/holdfast/v1/common.proto

/**
 * NULL, spelled out, so that it can never be mistaken for an empty string or a missing field.
 */
export const Null = {
  NULL: 'NULL',
} as const;

/**
 * NULL, spelled out, so that it can never be mistaken for an empty string or a missing field.
 */
export type Null =
  | 'NULL'
  | 0

/**
 * NULL, spelled out, so that it can never be mistaken for an empty string or a missing field.
 */
export type Null__Output = typeof Null[keyof typeof Null]
