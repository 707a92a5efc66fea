// Original file: proto/holdfast/v1/guard.proto

import type { CallOutcome as _holdfast_v1_CallOutcome, CallOutcome__Output as _holdfast_v1_CallOutcome__Output } from '../../holdfast/v1/CallOutcome.ts';

export interface ExitRequest {
  'permitId'?: (string);
  'outcome'?: (_holdfast_v1_CallOutcome);
  /**
   * What the call did cost; absent is what was put aside. More than that is reported as overshoot.
   */
  'cost'?: (number | string);
  '_cost'?: "cost";
}

export interface ExitRequest__Output {
  'permitId': (string);
  'outcome': (_holdfast_v1_CallOutcome__Output);
  /**
   * What the call did cost; absent is what was put aside. More than that is reported as overshoot.
   */
  'cost'?: (number);
  '_cost'?: "cost";
}
