// Original file: proto/holdfast/v1/database.proto

import type { OutboxEvent as _holdfast_v1_OutboxEvent, OutboxEvent__Output as _holdfast_v1_OutboxEvent__Output } from '../../holdfast/v1/OutboxEvent.ts';

/**
 * Ends the transaction for good. Once it is on its way nothing cancels it: the answer is Committed, an error that says
 * the transaction was rolled back (reason `TRANSACTION_ROLLED_BACK`), or an error that says that nobody knows (`COMMIT_UNKNOWN`).
 */
export interface Commit {
  /**
   * Written with the transaction: there if and only if it is committed. At most 1,000.
   */
  'events'?: (_holdfast_v1_OutboxEvent)[];
}

/**
 * Ends the transaction for good. Once it is on its way nothing cancels it: the answer is Committed, an error that says
 * the transaction was rolled back (reason `TRANSACTION_ROLLED_BACK`), or an error that says that nobody knows (`COMMIT_UNKNOWN`).
 */
export interface Commit__Output {
  /**
   * Written with the transaction: there if and only if it is committed. At most 1,000.
   */
  'events': (_holdfast_v1_OutboxEvent__Output)[];
}
