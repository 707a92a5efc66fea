// Original file: proto/holdfast/v1/guard.proto

/**
 * What became of a call, as far as it says something of its target.
 */
export const CallOutcome = {
  /**
   * Refused with `INVALID_REQUEST`.
   */
  CALL_OUTCOME_UNSPECIFIED: 'CALL_OUTCOME_UNSPECIFIED',
  /**
   * It is well; an error that the request itself is to blame for is a success of the target.
   */
  CALL_OUTCOME_SUCCESS: 'CALL_OUTCOME_SUCCESS',
  CALL_OUTCOME_FAILURE: 'CALL_OUTCOME_FAILURE',
  /**
   * It is well and wants less (HTTP 429): the adaptive limit falls, the breaker does not move.
   */
  CALL_OUTCOME_THROTTLED: 'CALL_OUTCOME_THROTTLED',
  /**
   * Nothing can be said: the call was given up, or never made.
   */
  CALL_OUTCOME_DROPPED: 'CALL_OUTCOME_DROPPED',
} as const;

/**
 * What became of a call, as far as it says something of its target.
 */
export type CallOutcome =
  /**
   * Refused with `INVALID_REQUEST`.
   */
  | 'CALL_OUTCOME_UNSPECIFIED'
  | 0
  /**
   * It is well; an error that the request itself is to blame for is a success of the target.
   */
  | 'CALL_OUTCOME_SUCCESS'
  | 1
  | 'CALL_OUTCOME_FAILURE'
  | 2
  /**
   * It is well and wants less (HTTP 429): the adaptive limit falls, the breaker does not move.
   */
  | 'CALL_OUTCOME_THROTTLED'
  | 3
  /**
   * Nothing can be said: the call was given up, or never made.
   */
  | 'CALL_OUTCOME_DROPPED'
  | 4

/**
 * What became of a call, as far as it says something of its target.
 */
export type CallOutcome__Output = typeof CallOutcome[keyof typeof CallOutcome]
