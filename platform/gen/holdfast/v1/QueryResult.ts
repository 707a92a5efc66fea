// Original file: proto/holdfast/v1/database.proto

import type { Column as _holdfast_v1_Column, Column__Output as _holdfast_v1_Column__Output } from '../../holdfast/v1/Column.ts';
import type { Row as _holdfast_v1_Row, Row__Output as _holdfast_v1_Row__Output } from '../../holdfast/v1/Row.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Rows stay as PostgreSQL sent them: its text format, with the type of each column beside it.
 */
export interface QueryResult {
  /**
   * Empty for a statement that returns no rows. In a stream and in parts of a chunked answer: only in the first part.
   */
  'columns'?: (_holdfast_v1_Column)[];
  'rows'?: (_holdfast_v1_Row)[];
  /**
   * Rows that the statement inserted, updated, deleted, merged, or returned. In a chunked answer: in the last part.
   */
  'rowsAffected'?: (number | string | Long);
  /**
   * The first word(s) of PostgreSQL's command tag: `SELECT`, `INSERT`, `CREATE TABLE`. In a chunked answer: in the last part.
   */
  'command'?: (string);
}

/**
 * Rows stay as PostgreSQL sent them: its text format, with the type of each column beside it.
 */
export interface QueryResult__Output {
  /**
   * Empty for a statement that returns no rows. In a stream and in parts of a chunked answer: only in the first part.
   */
  'columns': (_holdfast_v1_Column__Output)[];
  'rows': (_holdfast_v1_Row__Output)[];
  /**
   * Rows that the statement inserted, updated, deleted, merged, or returned. In a chunked answer: in the last part.
   */
  'rowsAffected': (string);
  /**
   * The first word(s) of PostgreSQL's command tag: `SELECT`, `INSERT`, `CREATE TABLE`. In a chunked answer: in the last part.
   */
  'command': (string);
}
