// Original file: proto/holdfast/control/v1/discovery.proto

import type { ServerSession as _holdfast_control_v1_ServerSession, ServerSession__Output as _holdfast_control_v1_ServerSession__Output } from '../../../holdfast/control/v1/ServerSession.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * All sessions on the server that count, whatever opened them.
 */
export interface SessionListing {
  /**
   * Number of the heartbeat whose grant asked.
   */
  'asked'?: (number | string | Long);
  'sessions'?: (_holdfast_control_v1_ServerSession)[];
  /**
   * Of the role, CONNECTION LIMIT; -1 = none.
   */
  'roleLimit'?: (number);
  /**
   * Of the database, CONNECTION LIMIT; -1 = none.
   */
  'databaseLimit'?: (number);
  /**
   * max_connections less what the server reserves for superusers and others.
   */
  'serverLimit'?: (number);
}

/**
 * All sessions on the server that count, whatever opened them.
 */
export interface SessionListing__Output {
  /**
   * Number of the heartbeat whose grant asked.
   */
  'asked': (string);
  'sessions': (_holdfast_control_v1_ServerSession__Output)[];
  /**
   * Of the role, CONNECTION LIMIT; -1 = none.
   */
  'roleLimit': (number);
  /**
   * Of the database, CONNECTION LIMIT; -1 = none.
   */
  'databaseLimit': (number);
  /**
   * max_connections less what the server reserves for superusers and others.
   */
  'serverLimit': (number);
}
