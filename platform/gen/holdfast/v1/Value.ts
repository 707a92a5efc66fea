// Original file: proto/holdfast/v1/common.proto

import type { Null as _holdfast_v1_Null, Null__Output as _holdfast_v1_Null__Output } from '../../holdfast/v1/Null.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A parameter of a SQL statement. An unset kind is refused with INVALID_ARGUMENT.
 *
 * PostgreSQL decides the type of `$1` from the statement; what is sent here is only the value. Every type that has no
 * kind of its own (numeric, timestamptz, uuid, json, arrays, ranges, composites …) is sent as `text`, in the same
 * spelling that PostgreSQL reads in a quoted literal: `{1,2,3}`, `2026-01-31T12:00:00Z`, `[1,10)`.
 */
export interface Value {
  /**
   * SQL NULL.
   */
  'null'?: (_holdfast_v1_Null);
  /**
   * UTF-8 without the character U+0000, which PostgreSQL cannot store.
   */
  'text'?: (string);
  /**
   * Sent in binary. For parameters of type `bytea`.
   */
  'bytes'?: (Buffer | Uint8Array | string);
  /**
   * For integer and numeric parameters.
   */
  'int'?: (number | string | Long);
  /**
   * For float8 and numeric parameters; NaN and the infinities are allowed.
   */
  'double'?: (number | string);
  'bool'?: (boolean);
  'kind'?: "null"|"text"|"bytes"|"int"|"double"|"bool";
}

/**
 * A parameter of a SQL statement. An unset kind is refused with INVALID_ARGUMENT.
 *
 * PostgreSQL decides the type of `$1` from the statement; what is sent here is only the value. Every type that has no
 * kind of its own (numeric, timestamptz, uuid, json, arrays, ranges, composites …) is sent as `text`, in the same
 * spelling that PostgreSQL reads in a quoted literal: `{1,2,3}`, `2026-01-31T12:00:00Z`, `[1,10)`.
 */
export interface Value__Output {
  /**
   * SQL NULL.
   */
  'null'?: (_holdfast_v1_Null__Output);
  /**
   * UTF-8 without the character U+0000, which PostgreSQL cannot store.
   */
  'text'?: (string);
  /**
   * Sent in binary. For parameters of type `bytea`.
   */
  'bytes'?: (Buffer);
  /**
   * For integer and numeric parameters.
   */
  'int'?: (string);
  /**
   * For float8 and numeric parameters; NaN and the infinities are allowed.
   */
  'double'?: (number);
  'bool'?: (boolean);
  'kind'?: "null"|"text"|"bytes"|"int"|"double"|"bool";
}
