// Original file: proto/holdfast/control/v1/discovery.proto

import type { SessionListing as _holdfast_control_v1_SessionListing, SessionListing__Output as _holdfast_control_v1_SessionListing__Output } from '../../../holdfast/control/v1/SessionListing.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What the sidecar says of its sessions to the database of one budget, about once a second, and at once when demand appears.
 */
export interface Heartbeat {
  /**
   * Name of the ConnectionBudget.
   */
  'budget'?: (string);
  /**
   * Ascending within a boot.
   */
  'number'?: (number | string | Long);
  /**
   * The highest epoch that was seen.
   */
  'epoch'?: (number | string | Long);
  /**
   * The last heartbeat whose answer is applied; 0 = none.
   */
  'answered'?: (number | string | Long);
  /**
   * Sessions that it may hold now, floor included.
   */
  'share'?: (number);
  /**
   * Sessions that it could use now: in use and waited for.
   */
  'demand'?: (number);
  /**
   * Local ports of its sockets and connects under way, until the server has closed them.
   */
  'ports'?: (number)[];
  /**
   * Its address as the server sees it; empty while it had no session.
   */
  'address'?: (string);
  /**
   * It is about to exit: it opens nothing more.
   */
  'leaving'?: (boolean);
  /**
   * The answer to a grant that asked for it.
   */
  'listing'?: (_holdfast_control_v1_SessionListing | null);
  /**
   * Calls that wait for a session, and how long the oldest has, in ms.
   */
  'waiting'?: (number);
  'oldestWaitMs'?: (number);
  /**
   * Times that the server refused a session (SQLSTATE 53300) since the boot.
   */
  'refusals'?: (number | string | Long);
}

/**
 * What the sidecar says of its sessions to the database of one budget, about once a second, and at once when demand appears.
 */
export interface Heartbeat__Output {
  /**
   * Name of the ConnectionBudget.
   */
  'budget': (string);
  /**
   * Ascending within a boot.
   */
  'number': (string);
  /**
   * The highest epoch that was seen.
   */
  'epoch': (string);
  /**
   * The last heartbeat whose answer is applied; 0 = none.
   */
  'answered': (string);
  /**
   * Sessions that it may hold now, floor included.
   */
  'share': (number);
  /**
   * Sessions that it could use now: in use and waited for.
   */
  'demand': (number);
  /**
   * Local ports of its sockets and connects under way, until the server has closed them.
   */
  'ports': (number)[];
  /**
   * Its address as the server sees it; empty while it had no session.
   */
  'address': (string);
  /**
   * It is about to exit: it opens nothing more.
   */
  'leaving': (boolean);
  /**
   * The answer to a grant that asked for it.
   */
  'listing': (_holdfast_control_v1_SessionListing__Output | null);
  /**
   * Calls that wait for a session, and how long the oldest has, in ms.
   */
  'waiting': (number);
  'oldestWaitMs': (number);
  /**
   * Times that the server refused a session (SQLSTATE 53300) since the boot.
   */
  'refusals': (string);
}
