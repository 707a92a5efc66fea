// Original file: proto/holdfast/v1/database.proto

export const Isolation = {
  /**
   * What the database is set to; READ COMMITTED unless somebody changed it.
   */
  ISOLATION_UNSPECIFIED: 'ISOLATION_UNSPECIFIED',
  ISOLATION_READ_COMMITTED: 'ISOLATION_READ_COMMITTED',
  ISOLATION_REPEATABLE_READ: 'ISOLATION_REPEATABLE_READ',
  ISOLATION_SERIALIZABLE: 'ISOLATION_SERIALIZABLE',
} as const;

export type Isolation =
  /**
   * What the database is set to; READ COMMITTED unless somebody changed it.
   */
  | 'ISOLATION_UNSPECIFIED'
  | 0
  | 'ISOLATION_READ_COMMITTED'
  | 1
  | 'ISOLATION_REPEATABLE_READ'
  | 2
  | 'ISOLATION_SERIALIZABLE'
  | 3

export type Isolation__Output = typeof Isolation[keyof typeof Isolation]
