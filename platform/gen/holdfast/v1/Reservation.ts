// Original file: proto/holdfast/v1/budgets.proto

import type { BudgetState as _holdfast_v1_BudgetState, BudgetState__Output as _holdfast_v1_BudgetState__Output } from '../../holdfast/v1/BudgetState.ts';

export interface Reservation {
  'reservationId'?: (string);
  /**
   * What was put aside.
   */
  'amount'?: (number | string);
  /**
   * When it is charged in full, in ms from now.
   */
  'expiresInMs'?: (number);
  'budget'?: (_holdfast_v1_BudgetState | null);
}

export interface Reservation__Output {
  'reservationId': (string);
  /**
   * What was put aside.
   */
  'amount': (number);
  /**
   * When it is charged in full, in ms from now.
   */
  'expiresInMs': (number);
  'budget': (_holdfast_v1_BudgetState__Output | null);
}
