// Original file: proto/holdfast/control/v1/discovery.proto

import type { Policy as _holdfast_control_v1_Policy, Policy__Output as _holdfast_control_v1_Policy__Output } from '../../../holdfast/control/v1/Policy.ts';

/**
 * All policies that select the pod, in force and in shadow mode. It replaces the one before.
 */
export interface PolicySnapshot {
  /**
   * SHA-256 over the policies, in hex: every replica of the controller gives the same content the same version.
   */
  'version'?: (string);
  /**
   * Ordered by namespace and name.
   */
  'policies'?: (_holdfast_control_v1_Policy)[];
}

/**
 * All policies that select the pod, in force and in shadow mode. It replaces the one before.
 */
export interface PolicySnapshot__Output {
  /**
   * SHA-256 over the policies, in hex: every replica of the controller gives the same content the same version.
   */
  'version': (string);
  /**
   * Ordered by namespace and name.
   */
  'policies': (_holdfast_control_v1_Policy__Output)[];
}
