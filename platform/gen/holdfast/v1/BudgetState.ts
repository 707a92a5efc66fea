// Original file: proto/holdfast/v1/budgets.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One key in the window of now.
 */
export interface BudgetState {
  'limit'?: (number | string);
  /**
   * Of calls that have ended.
   */
  'settled'?: (number | string);
  /**
   * For calls that have not.
   */
  'reserved'?: (number | string);
  /**
   * Above what was put aside.
   */
  'overshoot'?: (number | string);
  /**
   * What a new reservation may be: limit less settled, reserved and overshoot, at least 0.
   */
  'available'?: (number | string);
  /**
   * Until the next window begins, in ms.
   */
  'windowEndsInMs'?: (number | string | Long);
}

/**
 * One key in the window of now.
 */
export interface BudgetState__Output {
  'limit': (number);
  /**
   * Of calls that have ended.
   */
  'settled': (number);
  /**
   * For calls that have not.
   */
  'reserved': (number);
  /**
   * Above what was put aside.
   */
  'overshoot': (number);
  /**
   * What a new reservation may be: limit less settled, reserved and overshoot, at least 0.
   */
  'available': (number);
  /**
   * Until the next window begins, in ms.
   */
  'windowEndsInMs': (string);
}
