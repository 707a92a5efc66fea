// Original file: proto/holdfast/v1/session.proto

import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../google/rpc/Status.ts';

/**
 * A transaction ended without the client asking: its time was up, its connection broke. Frames for it that are under way fail with the same reason.
 */
export interface TransactionEnded {
  'transactionId'?: (number);
  'reason'?: (_google_rpc_Status | null);
}

/**
 * A transaction ended without the client asking: its time was up, its connection broke. Frames for it that are under way fail with the same reason.
 */
export interface TransactionEnded__Output {
  'transactionId': (number);
  'reason': (_google_rpc_Status__Output | null);
}
