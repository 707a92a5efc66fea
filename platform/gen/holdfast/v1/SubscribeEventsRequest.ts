// Original file: proto/holdfast/v1/events.proto


export interface SubscribeEventsRequest {
  /**
   * 1 to 100 bytes. One stream at a time has it; a newer one ends the older.
   */
  'subscriber'?: (string);
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * Only these topics; none is all of them.
   */
  'topics'?: (string)[];
  /**
   * A subscriber that is new begins with the oldest event that is kept; true: with what comes from now on.
   */
  'fromNow'?: (boolean);
}

export interface SubscribeEventsRequest__Output {
  /**
   * 1 to 100 bytes. One stream at a time has it; a newer one ends the older.
   */
  'subscriber': (string);
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * Only these topics; none is all of them.
   */
  'topics': (string)[];
  /**
   * A subscriber that is new begins with the oldest event that is kept; true: with what comes from now on.
   */
  'fromNow': (boolean);
}
