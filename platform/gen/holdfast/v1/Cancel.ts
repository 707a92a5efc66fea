// Original file: proto/holdfast/v1/session.proto


/**
 * Cancels another frame. Both get an answer: the other one CANCELLED, or its result if that was sooner. A Commit is never cancelled.
 */
export interface Cancel {
  /**
   * The id of the frame to cancel. An id that is not in flight is no error: its answer may have crossed this frame.
   */
  'id'?: (number);
}

/**
 * Cancels another frame. Both get an answer: the other one CANCELLED, or its result if that was sooner. A Commit is never cancelled.
 */
export interface Cancel__Output {
  /**
   * The id of the frame to cancel. An id that is not in flight is no error: its answer may have crossed this frame.
   */
  'id': (number);
}
