// Original file: proto/holdfast/v1/budgets.proto


export interface SettleRequest {
  /**
   * The target of the reservation.
   */
  'target'?: (string);
  'reservationId'?: (string);
  /**
   * What was spent; absent is all that was put aside.
   */
  'actual'?: (number | string);
  '_actual'?: "actual";
}

export interface SettleRequest__Output {
  /**
   * The target of the reservation.
   */
  'target': (string);
  'reservationId': (string);
  /**
   * What was spent; absent is all that was put aside.
   */
  'actual'?: (number);
  '_actual'?: "actual";
}
