// Original file: proto/holdfast/v1/database.proto

import type { QueryResult as _holdfast_v1_QueryResult, QueryResult__Output as _holdfast_v1_QueryResult__Output } from '../../holdfast/v1/QueryResult.ts';
import type { Long } from '@grpc/proto-loader';

export interface PageResult {
  'result'?: (_holdfast_v1_QueryResult | null);
  /**
   * As used, defaults filled in.
   */
  'page'?: (number);
  'pageSize'?: (number);
  'hasMore'?: (boolean);
  /**
   * Rows that match the filters; only with `with_total`.
   */
  'total'?: (number | string | Long);
  '_total'?: "total";
}

export interface PageResult__Output {
  'result': (_holdfast_v1_QueryResult__Output | null);
  /**
   * As used, defaults filled in.
   */
  'page': (number);
  'pageSize': (number);
  'hasMore': (boolean);
  /**
   * Rows that match the filters; only with `with_total`.
   */
  'total'?: (string);
  '_total'?: "total";
}
