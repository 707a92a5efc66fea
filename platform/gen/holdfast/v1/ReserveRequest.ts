// Original file: proto/holdfast/v1/budgets.proto


export interface ReserveRequest {
  /**
   * Name of a target with `cost`.
   */
  'target'?: (string);
  /**
   * Whose budget it is: each key has the limit for itself. At most 200 bytes; empty is a key too.
   */
  'key'?: (string);
  /**
   * What will be spent at most; absent is the policy's `estimate`.
   */
  'amount'?: (number | string);
  /**
   * Chosen by the caller, at most 64 bytes, never used for anything else: the same id again is the same reservation. Empty: the sidecar makes one.
   */
  'reservationId'?: (string);
  /**
   * After so many ms without Settle or Release it is charged in full; 0 is the policy's `reservationMs`. At most a day.
   */
  'ttlMs'?: (number);
  '_amount'?: "amount";
}

export interface ReserveRequest__Output {
  /**
   * Name of a target with `cost`.
   */
  'target': (string);
  /**
   * Whose budget it is: each key has the limit for itself. At most 200 bytes; empty is a key too.
   */
  'key': (string);
  /**
   * What will be spent at most; absent is the policy's `estimate`.
   */
  'amount'?: (number);
  /**
   * Chosen by the caller, at most 64 bytes, never used for anything else: the same id again is the same reservation. Empty: the sidecar makes one.
   */
  'reservationId': (string);
  /**
   * After so many ms without Settle or Release it is charged in full; 0 is the policy's `reservationMs`. At most a day.
   */
  'ttlMs': (number);
  '_amount'?: "amount";
}
