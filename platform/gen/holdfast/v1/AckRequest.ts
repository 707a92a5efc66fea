// Original file: proto/holdfast/v1/events.proto

import type { Long } from '@grpc/proto-loader';

export interface AckRequest {
  'subscriber'?: (string);
  'pool'?: (string);
  'cursor'?: (number | string | Long);
}

export interface AckRequest__Output {
  'subscriber': (string);
  'pool': (string);
  'cursor': (string);
}
