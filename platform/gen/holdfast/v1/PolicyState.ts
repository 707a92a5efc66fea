// Original file: proto/holdfast/v1/policies.proto

import type { TargetState as _holdfast_v1_TargetState, TargetState__Output as _holdfast_v1_TargetState__Output } from '../../holdfast/v1/TargetState.ts';
import type { ControllerState as _holdfast_v1_ControllerState, ControllerState__Output as _holdfast_v1_ControllerState__Output } from '../../holdfast/v1/ControllerState.ts';
import type { Long } from '@grpc/proto-loader';

export interface PolicyState {
  /**
   * Counts the policies that were applied since the sidecar started, from 1.
   */
  'version'?: (number | string | Long);
  /**
   * SHA-256 of the policy file in force, in hex, or the version that the controller gave its policies; empty without any.
   */
  'digest'?: (string);
  /**
   * How long ago it was applied, in ms.
   */
  'appliedMsAgo'?: (number | string | Long);
  /**
   * Why the newest policy is not in force: one line for each fault, with file, line, column and field, or policy and field. Empty when it is.
   */
  'faults'?: (string)[];
  'targets'?: (_holdfast_v1_TargetState)[];
  /**
   * Changes that are only taken at the next start, by field; and what is left out because its secret is not mounted.
   */
  'restartRequired'?: (string)[];
  /**
   * Where the policy in force comes from: `File` or `Controller`; empty = there is none.
   */
  'source'?: (string);
  /**
   * With a controller.
   */
  'controller'?: (_holdfast_v1_ControllerState | null);
}

export interface PolicyState__Output {
  /**
   * Counts the policies that were applied since the sidecar started, from 1.
   */
  'version': (string);
  /**
   * SHA-256 of the policy file in force, in hex, or the version that the controller gave its policies; empty without any.
   */
  'digest': (string);
  /**
   * How long ago it was applied, in ms.
   */
  'appliedMsAgo': (string);
  /**
   * Why the newest policy is not in force: one line for each fault, with file, line, column and field, or policy and field. Empty when it is.
   */
  'faults': (string)[];
  'targets': (_holdfast_v1_TargetState__Output)[];
  /**
   * Changes that are only taken at the next start, by field; and what is left out because its secret is not mounted.
   */
  'restartRequired': (string)[];
  /**
   * Where the policy in force comes from: `File` or `Controller`; empty = there is none.
   */
  'source': (string);
  /**
   * With a controller.
   */
  'controller': (_holdfast_v1_ControllerState__Output | null);
}
