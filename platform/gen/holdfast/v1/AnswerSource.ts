// Original file: proto/holdfast/v1/upstream.proto

export const AnswerSource = {
  /**
   * From the target.
   */
  ANSWER_SOURCE_TARGET: 'ANSWER_SOURCE_TARGET',
  /**
   * From the policy's `fallback.static`.
   */
  ANSWER_SOURCE_STATIC: 'ANSWER_SOURCE_STATIC',
  /**
   * An earlier answer (`fallback.stale`).
   */
  ANSWER_SOURCE_STALE: 'ANSWER_SOURCE_STALE',
  /**
   * From another target (`fallback.upstream`).
   */
  ANSWER_SOURCE_OTHER_UPSTREAM: 'ANSWER_SOURCE_OTHER_UPSTREAM',
} as const;

export type AnswerSource =
  /**
   * From the target.
   */
  | 'ANSWER_SOURCE_TARGET'
  | 0
  /**
   * From the policy's `fallback.static`.
   */
  | 'ANSWER_SOURCE_STATIC'
  | 1
  /**
   * An earlier answer (`fallback.stale`).
   */
  | 'ANSWER_SOURCE_STALE'
  | 2
  /**
   * From another target (`fallback.upstream`).
   */
  | 'ANSWER_SOURCE_OTHER_UPSTREAM'
  | 3

export type AnswerSource__Output = typeof AnswerSource[keyof typeof AnswerSource]
