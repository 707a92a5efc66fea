// Original file: proto/holdfast/control/v1/discovery.proto


/**
 * Connect there instead: only the leader knows all sidecars. The stream stays good until the sidecar ends it; when the address cannot be
 * reached it stays where it is.
 */
export interface Redirect {
  /**
   * host:port
   */
  'address'?: (string);
}

/**
 * Connect there instead: only the leader knows all sidecars. The stream stays good until the sidecar ends it; when the address cannot be
 * reached it stays where it is.
 */
export interface Redirect__Output {
  /**
   * host:port
   */
  'address': (string);
}
