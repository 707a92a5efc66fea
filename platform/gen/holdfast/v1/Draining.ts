// Original file: proto/holdfast/v1/session.proto


/**
 * The sidecar stops: calls under way and open transactions may finish, new calls are refused with reason `DRAINING`. A client that has nothing
 * more to wait for half-closes, and makes its next calls in a session with the sidecar that comes next.
 */
export interface Draining {
  /**
   * Until everything is ended, in ms.
   */
  'graceMs'?: (number);
}

/**
 * The sidecar stops: calls under way and open transactions may finish, new calls are refused with reason `DRAINING`. A client that has nothing
 * more to wait for half-closes, and makes its next calls in a session with the sidecar that comes next.
 */
export interface Draining__Output {
  /**
   * Until everything is ended, in ms.
   */
  'graceMs': (number);
}
