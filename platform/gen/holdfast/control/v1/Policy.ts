// Original file: proto/holdfast/control/v1/discovery.proto

import type { Long } from '@grpc/proto-loader';

export interface Policy {
  'namespace'?: (string);
  'name'?: (string);
  'uid'?: (string);
  /**
   * metadata.generation, which the status counts.
   */
  'generation'?: (number | string | Long);
  /**
   * The ResiliencePolicy as JSON: apiVersion, kind, metadata {name, namespace}, spec.
   */
  'manifest'?: (string);
}

export interface Policy__Output {
  'namespace': (string);
  'name': (string);
  'uid': (string);
  /**
   * metadata.generation, which the status counts.
   */
  'generation': (string);
  /**
   * The ResiliencePolicy as JSON: apiVersion, kind, metadata {name, namespace}, spec.
   */
  'manifest': (string);
}
