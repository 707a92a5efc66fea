// Original file: proto/holdfast/v1/redis.proto

import type { Subscribed as _holdfast_v1_Subscribed, Subscribed__Output as _holdfast_v1_Subscribed__Output } from '../../holdfast/v1/Subscribed.ts';
import type { RedisMessage as _holdfast_v1_RedisMessage, RedisMessage__Output as _holdfast_v1_RedisMessage__Output } from '../../holdfast/v1/RedisMessage.ts';
import type { SubscriptionGap as _holdfast_v1_SubscriptionGap, SubscriptionGap__Output as _holdfast_v1_SubscriptionGap__Output } from '../../holdfast/v1/SubscriptionGap.ts';

export interface SubscribeEvent {
  /**
   * The first one: messages that are sent from now on arrive.
   */
  'subscribed'?: (_holdfast_v1_Subscribed | null);
  'message'?: (_holdfast_v1_RedisMessage | null);
  'gap'?: (_holdfast_v1_SubscriptionGap | null);
  'event'?: "subscribed"|"message"|"gap";
}

export interface SubscribeEvent__Output {
  /**
   * The first one: messages that are sent from now on arrive.
   */
  'subscribed'?: (_holdfast_v1_Subscribed__Output | null);
  'message'?: (_holdfast_v1_RedisMessage__Output | null);
  'gap'?: (_holdfast_v1_SubscriptionGap__Output | null);
  'event'?: "subscribed"|"message"|"gap";
}
