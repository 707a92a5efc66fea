// Original file: proto/holdfast/control/v1/discovery.proto

import type { PolicySnapshot as _holdfast_control_v1_PolicySnapshot, PolicySnapshot__Output as _holdfast_control_v1_PolicySnapshot__Output } from '../../../holdfast/control/v1/PolicySnapshot.ts';
import type { Grant as _holdfast_control_v1_Grant, Grant__Output as _holdfast_control_v1_Grant__Output } from '../../../holdfast/control/v1/Grant.ts';
import type { Redirect as _holdfast_control_v1_Redirect, Redirect__Output as _holdfast_control_v1_Redirect__Output } from '../../../holdfast/control/v1/Redirect.ts';
import type { TrustBundle as _holdfast_control_v1_TrustBundle, TrustBundle__Output as _holdfast_control_v1_TrustBundle__Output } from '../../../holdfast/control/v1/TrustBundle.ts';

export interface ControllerMessage {
  'policy'?: (_holdfast_control_v1_PolicySnapshot | null);
  'grant'?: (_holdfast_control_v1_Grant | null);
  'redirect'?: (_holdfast_control_v1_Redirect | null);
  'trust'?: (_holdfast_control_v1_TrustBundle | null);
  'message'?: "policy"|"grant"|"redirect"|"trust";
}

export interface ControllerMessage__Output {
  'policy'?: (_holdfast_control_v1_PolicySnapshot__Output | null);
  'grant'?: (_holdfast_control_v1_Grant__Output | null);
  'redirect'?: (_holdfast_control_v1_Redirect__Output | null);
  'trust'?: (_holdfast_control_v1_TrustBundle__Output | null);
  'message'?: "policy"|"grant"|"redirect"|"trust";
}
