// Original file: proto/holdfast/control/v1/discovery.proto


/**
 * Certificates that the controller's are checked with from now on. The sidecar keeps them across restarts.
 */
export interface TrustBundle {
  /**
   * PEM, one or more certificates.
   */
  'pem'?: (string);
}

/**
 * Certificates that the controller's are checked with from now on. The sidecar keeps them across restarts.
 */
export interface TrustBundle__Output {
  /**
   * PEM, one or more certificates.
   */
  'pem': (string);
}
