// Original file: proto/holdfast/v1/database.proto

export const CommitOutcome = {
  COMMIT_OUTCOME_UNSPECIFIED: 'COMMIT_OUTCOME_UNSPECIFIED',
  COMMIT_OUTCOME_COMMITTED: 'COMMIT_OUTCOME_COMMITTED',
  /**
   * It was rolled back, or never got there; the id is barred now.
   */
  COMMIT_OUTCOME_ROLLED_BACK: 'COMMIT_OUTCOME_ROLLED_BACK',
} as const;

export type CommitOutcome =
  | 'COMMIT_OUTCOME_UNSPECIFIED'
  | 0
  | 'COMMIT_OUTCOME_COMMITTED'
  | 1
  /**
   * It was rolled back, or never got there; the id is barred now.
   */
  | 'COMMIT_OUTCOME_ROLLED_BACK'
  | 2

export type CommitOutcome__Output = typeof CommitOutcome[keyof typeof CommitOutcome]
