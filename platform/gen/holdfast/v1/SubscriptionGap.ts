// Original file: proto/holdfast/v1/redis.proto

import type { GapReason as _holdfast_v1_GapReason, GapReason__Output as _holdfast_v1_GapReason__Output } from '../../holdfast/v1/GapReason.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Messages may be missing here. What follows is complete again: look up now what the missing ones would have told.
 */
export interface SubscriptionGap {
  'reason'?: (_holdfast_v1_GapReason);
  /**
   * How long messages may have been missed.
   */
  'durationMs'?: (number);
  /**
   * For GAP_REASON_OVERFLOW: how many were dropped, as far as they are known.
   */
  'dropped'?: (number | string | Long);
}

/**
 * Messages may be missing here. What follows is complete again: look up now what the missing ones would have told.
 */
export interface SubscriptionGap__Output {
  'reason': (_holdfast_v1_GapReason__Output);
  /**
   * How long messages may have been missed.
   */
  'durationMs': (number);
  /**
   * For GAP_REASON_OVERFLOW: how many were dropped, as far as they are known.
   */
  'dropped': (string);
}
