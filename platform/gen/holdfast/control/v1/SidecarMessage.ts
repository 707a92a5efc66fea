// Original file: proto/holdfast/control/v1/discovery.proto

import type { Hello as _holdfast_control_v1_Hello, Hello__Output as _holdfast_control_v1_Hello__Output } from '../../../holdfast/control/v1/Hello.ts';
import type { PolicyReport as _holdfast_control_v1_PolicyReport, PolicyReport__Output as _holdfast_control_v1_PolicyReport__Output } from '../../../holdfast/control/v1/PolicyReport.ts';
import type { Heartbeat as _holdfast_control_v1_Heartbeat, Heartbeat__Output as _holdfast_control_v1_Heartbeat__Output } from '../../../holdfast/control/v1/Heartbeat.ts';

export interface SidecarMessage {
  'hello'?: (_holdfast_control_v1_Hello | null);
  'report'?: (_holdfast_control_v1_PolicyReport | null);
  'heartbeat'?: (_holdfast_control_v1_Heartbeat | null);
  'message'?: "hello"|"report"|"heartbeat";
}

export interface SidecarMessage__Output {
  'hello'?: (_holdfast_control_v1_Hello__Output | null);
  'report'?: (_holdfast_control_v1_PolicyReport__Output | null);
  'heartbeat'?: (_holdfast_control_v1_Heartbeat__Output | null);
  'message'?: "hello"|"report"|"heartbeat";
}
