// Original file: proto/holdfast/v1/policies.proto


export interface ControllerState {
  /**
   * Address of the controller that the sidecar has a stream to; empty without one.
   */
  'connectedTo'?: (string);
  /**
   * Why there is no stream; may be empty.
   */
  'fault'?: (string);
}

export interface ControllerState__Output {
  /**
   * Address of the controller that the sidecar has a stream to; empty without one.
   */
  'connectedTo': (string);
  /**
   * Why there is no stream; may be empty.
   */
  'fault': (string);
}
