// Original file: proto/holdfast/control/v1/discovery.proto

import type { PolicyFault as _holdfast_control_v1_PolicyFault, PolicyFault__Output as _holdfast_control_v1_PolicyFault__Output } from '../../../holdfast/control/v1/PolicyFault.ts';

/**
 * What became of a snapshot: sent once for each that was received, and again when `restart_required` changes.
 */
export interface PolicyReport {
  /**
   * That it is about.
   */
  'version'?: (string);
  /**
   * Empty = in force (ACK). Else it was refused as a whole (NACK) and what was in force stays.
   */
  'faults'?: (_holdfast_control_v1_PolicyFault)[];
  /**
   * What of it is taken only when the pod starts again, for people: a secret that is not mounted, for example.
   */
  'restartRequired'?: (string)[];
}

/**
 * What became of a snapshot: sent once for each that was received, and again when `restart_required` changes.
 */
export interface PolicyReport__Output {
  /**
   * That it is about.
   */
  'version': (string);
  /**
   * Empty = in force (ACK). Else it was refused as a whole (NACK) and what was in force stays.
   */
  'faults': (_holdfast_control_v1_PolicyFault__Output)[];
  /**
   * What of it is taken only when the pod starts again, for people: a secret that is not mounted, for example.
   */
  'restartRequired': (string)[];
}
