// Original file: proto/holdfast/control/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

export interface Hello {
  /**
   * Which start of the sidecar this is: a newer one has a higher number, also across restarts of its container.
   */
  'boot'?: (number | string | Long);
  /**
   * Version of the sidecar's program.
   */
  'version'?: (string);
  /**
   * `PolicySnapshot.version` in force; empty = none from a controller. The controller need not send that one again.
   */
  'policyVersion'?: (string);
}

export interface Hello__Output {
  /**
   * Which start of the sidecar this is: a newer one has a higher number, also across restarts of its container.
   */
  'boot': (string);
  /**
   * Version of the sidecar's program.
   */
  'version': (string);
  /**
   * `PolicySnapshot.version` in force; empty = none from a controller. The controller need not send that one again.
   */
  'policyVersion': (string);
}
