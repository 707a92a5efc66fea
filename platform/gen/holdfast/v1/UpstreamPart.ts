// Original file: proto/holdfast/v1/upstream.proto

import type { UpstreamResponse as _holdfast_v1_UpstreamResponse, UpstreamResponse__Output as _holdfast_v1_UpstreamResponse__Output } from '../../holdfast/v1/UpstreamResponse.ts';

/**
 * First one `head`, then any number of `chunk`.
 */
export interface UpstreamPart {
  /**
   * Without body.
   */
  'head'?: (_holdfast_v1_UpstreamResponse | null);
  'chunk'?: (Buffer | Uint8Array | string);
  'part'?: "head"|"chunk";
}

/**
 * First one `head`, then any number of `chunk`.
 */
export interface UpstreamPart__Output {
  /**
   * Without body.
   */
  'head'?: (_holdfast_v1_UpstreamResponse__Output | null);
  'chunk'?: (Buffer);
  'part'?: "head"|"chunk";
}
