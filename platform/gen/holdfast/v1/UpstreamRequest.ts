// Original file: proto/holdfast/v1/upstream.proto

import type { HttpHeader as _holdfast_v1_HttpHeader, HttpHeader__Output as _holdfast_v1_HttpHeader__Output } from '../../holdfast/v1/HttpHeader.ts';

export interface UpstreamRequest {
  /**
   * Name of a target of kind Upstream.
   */
  'target'?: (string);
  /**
   * `GET` when empty. CONNECT and TRACE are refused.
   */
  'method'?: (string);
  /**
   * Added to the target's `baseUrl`: `/v1/items?limit=3`, encoded as a URL has it. It cannot leave that: `..` is refused.
   */
  'path'?: (string);
  /**
   * Names in any case; those that the policy sets, and those of one connection (`host`, `connection`, `content-length` …) are refused.
   */
  'headers'?: (_holdfast_v1_HttpHeader)[];
  'body'?: (Buffer | Uint8Array | string);
  /**
   * The request may be sent twice. GET, HEAD, OPTIONS, PUT and DELETE may be anyway (RFC 9110).
   */
  'idempotent'?: (boolean);
  /**
   * What each try will cost at most; absent is the policy's `estimate`. Only for targets with `cost`.
   */
  'cost'?: (number | string);
  /**
   * Whose budget it is. At most 200 bytes; empty is a key too.
   */
  'costKey'?: (string);
  /**
   * Name of a header of the answer that says what the call did cost, as a number; without it each try is charged what was put aside.
   */
  'costHeader'?: (string);
  '_cost'?: "cost";
}

export interface UpstreamRequest__Output {
  /**
   * Name of a target of kind Upstream.
   */
  'target': (string);
  /**
   * `GET` when empty. CONNECT and TRACE are refused.
   */
  'method': (string);
  /**
   * Added to the target's `baseUrl`: `/v1/items?limit=3`, encoded as a URL has it. It cannot leave that: `..` is refused.
   */
  'path': (string);
  /**
   * Names in any case; those that the policy sets, and those of one connection (`host`, `connection`, `content-length` …) are refused.
   */
  'headers': (_holdfast_v1_HttpHeader__Output)[];
  'body': (Buffer);
  /**
   * The request may be sent twice. GET, HEAD, OPTIONS, PUT and DELETE may be anyway (RFC 9110).
   */
  'idempotent': (boolean);
  /**
   * What each try will cost at most; absent is the policy's `estimate`. Only for targets with `cost`.
   */
  'cost'?: (number);
  /**
   * Whose budget it is. At most 200 bytes; empty is a key too.
   */
  'costKey': (string);
  /**
   * Name of a header of the answer that says what the call did cost, as a number; without it each try is charged what was put aside.
   */
  'costHeader': (string);
  '_cost'?: "cost";
}
