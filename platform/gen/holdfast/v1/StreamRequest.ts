// Original file: proto/holdfast/v1/database.proto

import type { QueryRequest as _holdfast_v1_QueryRequest, QueryRequest__Output as _holdfast_v1_QueryRequest__Output } from '../../holdfast/v1/QueryRequest.ts';

export interface StreamRequest {
  'query'?: (_holdfast_v1_QueryRequest | null);
  /**
   * Most rows in one message, 1 to 10,000; 0 is 1,000. Messages are also kept near 256 KiB, a single larger row aside.
   */
  'maxRows'?: (number);
}

export interface StreamRequest__Output {
  'query': (_holdfast_v1_QueryRequest__Output | null);
  /**
   * Most rows in one message, 1 to 10,000; 0 is 1,000. Messages are also kept near 256 KiB, a single larger row aside.
   */
  'maxRows': (number);
}
