// Original file: proto/holdfast/control/v1/discovery.proto


export interface PolicyFault {
  /**
   * Name of the policy; empty when it is not one policy's fault.
   */
  'policy'?: (string);
  /**
   * Path of the field, as in `spec.postgres[0].pool.size`; may be empty.
   */
  'field'?: (string);
  /**
   * What is wrong and what to do. Holds no secret.
   */
  'message'?: (string);
}

export interface PolicyFault__Output {
  /**
   * Name of the policy; empty when it is not one policy's fault.
   */
  'policy': (string);
  /**
   * Path of the field, as in `spec.postgres[0].pool.size`; may be empty.
   */
  'field': (string);
  /**
   * What is wrong and what to do. Holds no secret.
   */
  'message': (string);
}
