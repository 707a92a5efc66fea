// Original file: proto/holdfast/v1/locks.proto

export const LossReason = {
  LOSS_REASON_UNSPECIFIED: 'LOSS_REASON_UNSPECIFIED',
  /**
   * Its time to live passed without a renewal that the authority confirmed.
   */
  LOSS_REASON_EXPIRED: 'LOSS_REASON_EXPIRED',
  /**
   * Somebody took it (ForceRelease), or the authority does not know it any more.
   */
  LOSS_REASON_FORCED: 'LOSS_REASON_FORCED',
  /**
   * It was held for `max_hold_ms`.
   */
  LOSS_REASON_HELD_TOO_LONG: 'LOSS_REASON_HELD_TOO_LONG',
} as const;

export type LossReason =
  | 'LOSS_REASON_UNSPECIFIED'
  | 0
  /**
   * Its time to live passed without a renewal that the authority confirmed.
   */
  | 'LOSS_REASON_EXPIRED'
  | 1
  /**
   * Somebody took it (ForceRelease), or the authority does not know it any more.
   */
  | 'LOSS_REASON_FORCED'
  | 2
  /**
   * It was held for `max_hold_ms`.
   */
  | 'LOSS_REASON_HELD_TOO_LONG'
  | 3

export type LossReason__Output = typeof LossReason[keyof typeof LossReason]
