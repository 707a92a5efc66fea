// Original file: proto/holdfast/v1/redis.proto

export const GapReason = {
  GAP_REASON_UNSPECIFIED: 'GAP_REASON_UNSPECIFIED',
  /**
   * The connection to Redis was away; it is back, and subscribed again.
   */
  GAP_REASON_CONNECTION_LOST: 'GAP_REASON_CONNECTION_LOST',
  /**
   * The caller did not take its messages, and more than `subscriberBufferBytes` of the policy waited for it.
   */
  GAP_REASON_OVERFLOW: 'GAP_REASON_OVERFLOW',
} as const;

export type GapReason =
  | 'GAP_REASON_UNSPECIFIED'
  | 0
  /**
   * The connection to Redis was away; it is back, and subscribed again.
   */
  | 'GAP_REASON_CONNECTION_LOST'
  | 1
  /**
   * The caller did not take its messages, and more than `subscriberBufferBytes` of the policy waited for it.
   */
  | 'GAP_REASON_OVERFLOW'
  | 2

export type GapReason__Output = typeof GapReason[keyof typeof GapReason]
