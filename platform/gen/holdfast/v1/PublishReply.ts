// Original file: proto/holdfast/v1/redis.proto

import type { Long } from '@grpc/proto-loader';

export interface PublishReply {
  /**
   * Subscribers that Redis sent it to; of a Cluster, those at one node. All streams of one sidecar that subscribe to one channel are one.
   */
  'receivers'?: (number | string | Long);
}

export interface PublishReply__Output {
  /**
   * Subscribers that Redis sent it to; of a Cluster, those at one node. All streams of one sidecar that subscribe to one channel are one.
   */
  'receivers': (string);
}
