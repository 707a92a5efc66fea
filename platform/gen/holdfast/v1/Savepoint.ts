// Original file: proto/holdfast/v1/database.proto


// Original file: proto/holdfast/v1/database.proto

export const _holdfast_v1_Savepoint_Action = {
  ACTION_UNSPECIFIED: 'ACTION_UNSPECIFIED',
  /**
   * Sets a savepoint of this name; one of the same name is hidden until the new one is released.
   */
  ACTION_SET: 'ACTION_SET',
  /**
   * Forgets the savepoint and keeps what was done since.
   */
  ACTION_RELEASE: 'ACTION_RELEASE',
  /**
   * Undoes what was done since; the savepoint stays. After a failed statement this makes the transaction usable again.
   */
  ACTION_ROLLBACK: 'ACTION_ROLLBACK',
} as const;

export type _holdfast_v1_Savepoint_Action =
  | 'ACTION_UNSPECIFIED'
  | 0
  /**
   * Sets a savepoint of this name; one of the same name is hidden until the new one is released.
   */
  | 'ACTION_SET'
  | 1
  /**
   * Forgets the savepoint and keeps what was done since.
   */
  | 'ACTION_RELEASE'
  | 2
  /**
   * Undoes what was done since; the savepoint stays. After a failed statement this makes the transaction usable again.
   */
  | 'ACTION_ROLLBACK'
  | 3

export type _holdfast_v1_Savepoint_Action__Output = typeof _holdfast_v1_Savepoint_Action[keyof typeof _holdfast_v1_Savepoint_Action]

export interface Savepoint {
  'action'?: (_holdfast_v1_Savepoint_Action);
  /**
   * 1 to 63 bytes; quoted, so any text will do but U+0000.
   */
  'name'?: (string);
}

export interface Savepoint__Output {
  'action': (_holdfast_v1_Savepoint_Action__Output);
  /**
   * 1 to 63 bytes; quoted, so any text will do but U+0000.
   */
  'name': (string);
}
