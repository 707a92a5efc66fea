// Original file: proto/holdfast/v1/locks.proto

export const LockMode = {
  /**
   * The same as LOCK_MODE_EXCLUSIVE.
   */
  LOCK_MODE_UNSPECIFIED: 'LOCK_MODE_UNSPECIFIED',
  LOCK_MODE_EXCLUSIVE: 'LOCK_MODE_EXCLUSIVE',
  /**
   * Held together with other shared ones, never with an exclusive one.
   */
  LOCK_MODE_SHARED: 'LOCK_MODE_SHARED',
  /**
   * Held by at most `permits` at once. Has no fence.
   */
  LOCK_MODE_SEMAPHORE: 'LOCK_MODE_SEMAPHORE',
} as const;

export type LockMode =
  /**
   * The same as LOCK_MODE_EXCLUSIVE.
   */
  | 'LOCK_MODE_UNSPECIFIED'
  | 0
  | 'LOCK_MODE_EXCLUSIVE'
  | 1
  /**
   * Held together with other shared ones, never with an exclusive one.
   */
  | 'LOCK_MODE_SHARED'
  | 2
  /**
   * Held by at most `permits` at once. Has no fence.
   */
  | 'LOCK_MODE_SEMAPHORE'
  | 3

export type LockMode__Output = typeof LockMode[keyof typeof LockMode]
