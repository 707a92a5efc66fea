import { HoldfastError } from '../errors.ts';
import type { Parameter } from '../types/parameters.ts';
import { writeValue } from '../types/parameters.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type QueryResult, readQueryResult, type ResultFormat, type Row } from './query-result.ts';
import { emptySlot } from './shape.ts';
import { wholeNumber } from './whole-number.ts';

// Numbers of holdfast.v1.FilterOperator.
const operators = {
  '=': 1,
  '<>': 2,
  '<': 3,
  '<=': 4,
  '>': 5,
  '>=': 6,
  in: 7,
  like: 8,
  ilike: 9,
  'is null': 10,
  'is not null': 11,
} as const;

/** A condition on one column: `in` takes `values`, `is null` and `is not null` nothing, all others `value`. */
export interface Filter {
  readonly column: string;
  readonly operator: keyof typeof operators;
  readonly value?: Parameter;
  readonly values?: readonly Parameter[] | undefined;
}

export interface Sort {
  readonly column: string;
  readonly descending?: boolean | undefined;
  /** Where NULLs go; by default last when ascending, first when descending. */
  readonly nulls?: 'first' | 'last' | undefined;
}

/** Which rows of a table or view. */
export interface PageQuery {
  /** `table` or `schema.table`; exact spelling. A name with a dot in it needs its parts in quotes. */
  readonly table: string;
  /** From 1, the default. */
  readonly page?: number | undefined;
  /** 1 to 1,000; the default is 50. */
  readonly pageSize?: number | undefined;
  readonly sort?: readonly Sort[] | undefined;
  /** All of them have to hold. */
  readonly filters?: readonly Filter[] | undefined;
  /** Exactly these columns, in this order; all by default. */
  readonly fields?: readonly string[] | undefined;
  /** Also counts what the filters match. */
  readonly withTotal?: boolean | undefined;
}

/** One page of a table. */
export interface PageResult<R = Row> extends QueryResult<R> {
  readonly page: number;
  readonly pageSize: number;
  readonly hasMore: boolean;
  /** Rows that the filters match; only with `withTotal`. */
  readonly total: number | undefined;
}

/** holdfast.v1.PageRequest. */
export interface PageRequest extends PageQuery {
  readonly pool: string;
  readonly format: ResultFormat;
}

const requestTag = {
  pool: 0x0a,
  table: 0x12,
  page: 0x18,
  pageSize: 0x20,
  sort: 0x2a,
  filters: 0x32,
  fields: 0x3a,
  withTotal: 0x40,
} as const;
const sortTag = { column: 0x0a, descending: 0x10, nulls: 0x18 } as const;
const filterTag = { column: 0x0a, operator: 0x10, values: 0x1a } as const;
const resultTag = { result: 0x0a, page: 0x10, pageSize: 0x18, hasMore: 0x20, total: 0x28 } as const;

export function writePage(writer: ByteWriter, request: PageRequest): void {
  writeText(writer, requestTag.pool, request.pool);
  writeText(writer, requestTag.table, request.table);
  writeNumber(writer, requestTag.page, wholeNumber('page', request.page));
  writeNumber(writer, requestTag.pageSize, wholeNumber('pageSize', request.pageSize));
  for (const sort of request.sort ?? []) {
    writer.byte(requestTag.sort);
    const start = writer.begin();
    writeSort(writer, sort);
    writer.finish(start);
  }
  for (const filter of request.filters ?? []) {
    writer.byte(requestTag.filters);
    const start = writer.begin();
    writeFilter(writer, filter);
    writer.finish(start);
  }
  for (const field of request.fields ?? []) {
    writer.byte(requestTag.fields);
    writer.string(field);
  }
  writeNumber(writer, requestTag.withTotal, request.withTotal === true ? 1 : 0);
}

function writeSort(writer: ByteWriter, { column, descending, nulls }: Sort): void {
  writeText(writer, sortTag.column, column);
  writeNumber(writer, sortTag.descending, descending === true ? 1 : 0);
  writeNumber(writer, sortTag.nulls, nulls === 'first' ? 1 : nulls === 'last' ? 2 : 0);
}

function writeFilter(writer: ByteWriter, { column, operator, value, values }: Filter): void {
  writeText(writer, filterTag.column, column);
  if (!Object.hasOwn(operators, operator)) {
    throw HoldfastError.invalid(
      `a filter's operator is one of ${Object.keys(operators).join(', ')}`,
    );
  }
  writeNumber(writer, filterTag.operator, operators[operator]);
  for (const each of values ?? (value === undefined ? [] : [value])) {
    writer.byte(filterTag.values);
    writeValue(writer, each);
  }
}

/** Fields with their default value are left out, as every encoder does. */
function writeText(writer: ByteWriter, tag: number, value: string): void {
  if (value === '') return;
  writer.byte(tag);
  writer.string(value);
}

function writeNumber(writer: ByteWriter, tag: number, value: number | undefined): void {
  if (value === undefined || value === 0) return;
  writer.byte(tag);
  writer.varint(value);
}

type MutablePage = { -readonly [Key in keyof PageResult<unknown>]: PageResult<unknown>[Key] };

/** Reads a holdfast.v1.PageResult. */
export function readPage(
  reader: ByteReader,
  end: number,
  { format }: PageRequest,
  previous: PageResult<unknown> | undefined,
): PageResult<unknown> {
  const page: MutablePage = previous ?? {
    rows: [],
    columns: [],
    rowsAffected: 0,
    command: '',
    page: 0,
    pageSize: 0,
    hasMore: false,
    total: undefined,
  };
  while (reader.at < end) {
    const field = reader.varint();
    if (field === resultTag.result) {
      // The columns of an earlier part hold for the rows of this one.
      readQueryResult(reader, reader.lengthWithin(end), emptySlot(), format, page);
    } else if (field === resultTag.page) page.page = reader.varint();
    else if (field === resultTag.pageSize) page.pageSize = reader.varint();
    else if (field === resultTag.hasMore) page.hasMore = reader.varint() !== 0;
    else if (field === resultTag.total) page.total = reader.uint64();
    else reader.skip(field, end);
  }
  return page;
}
