// Original file: proto/holdfast/v1/upstream.proto

import type { HttpHeader as _holdfast_v1_HttpHeader, HttpHeader__Output as _holdfast_v1_HttpHeader__Output } from '../../holdfast/v1/HttpHeader.ts';
import type { AnswerSource as _holdfast_v1_AnswerSource, AnswerSource__Output as _holdfast_v1_AnswerSource__Output } from '../../holdfast/v1/AnswerSource.ts';

export interface UpstreamResponse {
  /**
   * HTTP status, 200 to 599.
   */
  'status'?: (number);
  /**
   * Names in lower case; one that came twice stands twice.
   */
  'headers'?: (_holdfast_v1_HttpHeader)[];
  'body'?: (Buffer | Uint8Array | string);
  /**
   * Tries that were made.
   */
  'attempts'?: (number);
  /**
   * Where the answer is from.
   */
  'source'?: (_holdfast_v1_AnswerSource);
}

export interface UpstreamResponse__Output {
  /**
   * HTTP status, 200 to 599.
   */
  'status': (number);
  /**
   * Names in lower case; one that came twice stands twice.
   */
  'headers': (_holdfast_v1_HttpHeader__Output)[];
  'body': (Buffer);
  /**
   * Tries that were made.
   */
  'attempts': (number);
  /**
   * Where the answer is from.
   */
  'source': (_holdfast_v1_AnswerSource__Output);
}
