// Original file: proto/holdfast/control/v1/discovery.proto

import type { ServerSession as _holdfast_control_v1_ServerSession, ServerSession__Output as _holdfast_control_v1_ServerSession__Output } from '../../../holdfast/control/v1/ServerSession.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The answer to one heartbeat. It runs from that heartbeat's send time on the sidecar's clock.
 */
export interface Grant {
  'budget'?: (string);
  /**
   * Of the sidecar that it is for.
   */
  'boot'?: (number | string | Long);
  /**
   * Of the leader that gives it; a sidecar drops what is not of the highest that it has seen.
   */
  'epoch'?: (number | string | Long);
  /**
   * Number of the heartbeat that this answers.
   */
  'answers'?: (number | string | Long);
  /**
   * Sessions that the sidecar keeps without the controller. It stores them across restarts.
   */
  'floor'?: (number);
  /**
   * Floor included.
   */
  'share'?: (number);
  /**
   * From the heartbeat's send time to the instant when nothing above the floor may be left.
   */
  'leaseMs'?: (number);
  /**
   * The next heartbeat brings a listing.
   */
  'list'?: (boolean);
  /**
   * Sessions that nobody owns any more: to be terminated.
   */
  'terminate'?: (_holdfast_control_v1_ServerSession)[];
  /**
   * Ports of this sidecar that the server has no session of.
   */
  'gone'?: (number)[];
}

/**
 * The answer to one heartbeat. It runs from that heartbeat's send time on the sidecar's clock.
 */
export interface Grant__Output {
  'budget': (string);
  /**
   * Of the sidecar that it is for.
   */
  'boot': (string);
  /**
   * Of the leader that gives it; a sidecar drops what is not of the highest that it has seen.
   */
  'epoch': (string);
  /**
   * Number of the heartbeat that this answers.
   */
  'answers': (string);
  /**
   * Sessions that the sidecar keeps without the controller. It stores them across restarts.
   */
  'floor': (number);
  /**
   * Floor included.
   */
  'share': (number);
  /**
   * From the heartbeat's send time to the instant when nothing above the floor may be left.
   */
  'leaseMs': (number);
  /**
   * The next heartbeat brings a listing.
   */
  'list': (boolean);
  /**
   * Sessions that nobody owns any more: to be terminated.
   */
  'terminate': (_holdfast_control_v1_ServerSession__Output)[];
  /**
   * Ports of this sidecar that the server has no session of.
   */
  'gone': (number)[];
}
