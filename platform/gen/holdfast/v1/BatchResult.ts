// Original file: proto/holdfast/v1/database.proto

import type { StatementResult as _holdfast_v1_StatementResult, StatementResult__Output as _holdfast_v1_StatementResult__Output } from '../../holdfast/v1/StatementResult.ts';

export interface BatchResult {
  /**
   * One for each statement, in order.
   */
  'results'?: (_holdfast_v1_StatementResult)[];
}

export interface BatchResult__Output {
  /**
   * One for each statement, in order.
   */
  'results': (_holdfast_v1_StatementResult__Output)[];
}
