// Original file: proto/holdfast/v1/database.proto

import type { Sort as _holdfast_v1_Sort, Sort__Output as _holdfast_v1_Sort__Output } from '../../holdfast/v1/Sort.ts';
import type { Filter as _holdfast_v1_Filter, Filter__Output as _holdfast_v1_Filter__Output } from '../../holdfast/v1/Filter.ts';

export interface PageRequest {
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool'?: (string);
  /**
   * `table` (found by the search path) or `schema.table`; exact spelling, no quotes. A name with a dot in it needs its parts in quotes: `"my.schema"."my.table"`.
   */
  'table'?: (string);
  /**
   * From 1; 0 is 1. page * page_size is at most 10,000,000.
   */
  'page'?: (number);
  /**
   * 1 to 1,000; 0 is 50.
   */
  'pageSize'?: (number);
  /**
   * At most 16. The primary key is added at the end, so that pages do not overlap; a table without one is ordered as asked.
   */
  'sort'?: (_holdfast_v1_Sort)[];
  /**
   * All of them have to hold. At most 32.
   */
  'filters'?: (_holdfast_v1_Filter)[];
  /**
   * Exactly these columns, in this order; none means all. At most 1,000.
   */
  'fields'?: (string)[];
  /**
   * Also count what the filters match: a second query over the whole table.
   */
  'withTotal'?: (boolean);
}

export interface PageRequest__Output {
  /**
   * Which pool of the policy; empty is `default`.
   */
  'pool': (string);
  /**
   * `table` (found by the search path) or `schema.table`; exact spelling, no quotes. A name with a dot in it needs its parts in quotes: `"my.schema"."my.table"`.
   */
  'table': (string);
  /**
   * From 1; 0 is 1. page * page_size is at most 10,000,000.
   */
  'page': (number);
  /**
   * 1 to 1,000; 0 is 50.
   */
  'pageSize': (number);
  /**
   * At most 16. The primary key is added at the end, so that pages do not overlap; a table without one is ordered as asked.
   */
  'sort': (_holdfast_v1_Sort__Output)[];
  /**
   * All of them have to hold. At most 32.
   */
  'filters': (_holdfast_v1_Filter__Output)[];
  /**
   * Exactly these columns, in this order; none means all. At most 1,000.
   */
  'fields': (string)[];
  /**
   * Also count what the filters match: a second query over the whole table.
   */
  'withTotal': (boolean);
}
