import type { Filter__Output } from '../../../platform/gen/holdfast/v1/Filter.ts';
import type { FilterOperator__Output } from '../../../platform/gen/holdfast/v1/FilterOperator.ts';
import type { NullOrder__Output } from '../../../platform/gen/holdfast/v1/NullOrder.ts';
import type { PageRequest__Output } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import type { Sort__Output } from '../../../platform/gen/holdfast/v1/Sort.ts';
import type { Value__Output } from '../../../platform/gen/holdfast/v1/Value.ts';
import type { Parameter } from '../../postgres/frontend-messages.ts';
import { parseTableName, type TableName } from './page-name.ts';
import { invalid, parameterOf } from './statement-values.ts';

/** A PageRequest within its limits, defaults filled in. Its names are still the caller's. */
export interface PageQuery {
  readonly table: TableName;
  /** From 1. */
  readonly page: number;
  /** 1 to 1,000. */
  readonly pageSize: number;
  readonly sort: readonly PageSort[];
  readonly filters: readonly PageFilter[];
  /** Empty: all columns. */
  readonly fields: readonly string[];
  readonly withTotal: boolean;
}

export interface PageSort {
  readonly column: string;
  /** SQL, from the closed list below. */
  readonly direction: '' | ' desc';
  readonly nulls: NullPlacement;
}

export interface PageFilter {
  readonly column: string;
  /** SQL, from the closed list below. */
  readonly operator: FilterSql;
  /** As many as the operator takes. */
  readonly values: readonly Parameter[];
}

type NullPlacement = '' | ' nulls first' | ' nulls last';
type Operator = (typeof operators)[keyof typeof operators];
type FilterSql = Operator['sql'];

const mostRowsAway = 10_000_000;
const mostPageSize = 1_000;
const defaultPageSize = 50;
const mostSorts = 16;
const mostFilters = 32;
const mostFields = 1_000;
/** PostgreSQL takes 65,535 parameters; two of them are LIMIT and OFFSET. */
const mostValues = 65_533;

const operators = {
  FILTER_OPERATOR_EQ: { sql: '=', takes: 'one' },
  FILTER_OPERATOR_NE: { sql: '<>', takes: 'one' },
  FILTER_OPERATOR_LT: { sql: '<', takes: 'one' },
  FILTER_OPERATOR_LE: { sql: '<=', takes: 'one' },
  FILTER_OPERATOR_GT: { sql: '>', takes: 'one' },
  FILTER_OPERATOR_GE: { sql: '>=', takes: 'one' },
  FILTER_OPERATOR_IN: { sql: 'in', takes: 'some' },
  FILTER_OPERATOR_LIKE: { sql: 'like', takes: 'text' },
  FILTER_OPERATOR_ILIKE: { sql: 'ilike', takes: 'text' },
  FILTER_OPERATOR_IS_NULL: { sql: 'is null', takes: 'none' },
  FILTER_OPERATOR_IS_NOT_NULL: { sql: 'is not null', takes: 'none' },
} as const satisfies Record<Exclude<FilterOperator__Output, 'FILTER_OPERATOR_UNSPECIFIED'>, object>;

const nullPlacements: Readonly<Record<NullOrder__Output, NullPlacement>> = {
  NULL_ORDER_UNSPECIFIED: '',
  NULL_ORDER_FIRST: ' nulls first',
  NULL_ORDER_LAST: ' nulls last',
};

/** Checks a request against its limits; nothing is looked up. Throws INVALID_REQUEST. */
export function pageQuery(request: PageRequest__Output): PageQuery {
  const { sort, filters, fields } = request;
  const page = request.page === 0 ? 1 : request.page;
  const pageSize = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  if (pageSize > mostPageSize) throw invalid(`page_size is ${pageSize}, more than ${mostPageSize}`);
  if (page * pageSize > mostRowsAway) {
    throw invalid(
      `page * page_size is ${page * pageSize}, more than ${mostRowsAway}; filter by the last row seen instead`,
    );
  }
  atMost(sort.length, mostSorts, 'sort', 'columns');
  atMost(filters.length, mostFilters, 'filters', 'conditions');
  atMost(fields.length, mostFields, 'fields', 'columns');
  const values = filters.reduce((sum, filter) => sum + filter.values.length, 0);
  atMost(values, mostValues, 'filters', 'values');
  return {
    table: parseTableName(request.table),
    page,
    pageSize,
    sort: sort.map(sortOf),
    filters: filters.map(filterOf),
    fields,
    withTotal: request.withTotal,
  };
}

function atMost(count: number, most: number, field: string, things: string): void {
  if (count > most) throw invalid(`${field} has ${count} ${things}, more than ${most}`);
}

function sortOf({ column, descending, nulls }: Sort__Output, at: number): PageSort {
  const placement = nullPlacements[nulls] as NullPlacement | undefined;
  if (placement === undefined) {
    throw invalid(`sort[${at}].nulls has a value that this sidecar does not know`);
  }
  return { column, direction: descending ? ' desc' : '', nulls: placement };
}

function filterOf({ column, operator: name, values }: Filter__Output, at: number): PageFilter {
  const field = `filters[${at}]`;
  if (name === 'FILTER_OPERATOR_UNSPECIFIED') throw invalid(`${field} has no operator`);
  const operator = operators[name] as Operator | undefined;
  if (operator === undefined) {
    throw invalid(`${field}.operator has a value that this sidecar does not know`);
  }
  checkValues(values, operator.takes, field);
  return {
    column,
    operator: operator.sql,
    values: values.map((value, index) => valueOf(value, `${field}.values[${index}]`)),
  };
}

function checkValues(
  values: readonly Value__Output[],
  takes: Operator['takes'],
  field: string,
): void {
  const refused = (what: string): Error =>
    invalid(`${field} has ${values.length} values; its operator takes ${what}`);
  switch (takes) {
    case 'none':
      if (values.length > 0) throw refused('none');
      return;
    case 'some':
      if (values.length === 0) throw refused('one or more');
      return;
    case 'one':
      if (values.length !== 1) throw refused('one');
      return;
    case 'text':
      if (values.length !== 1) throw refused('one');
      if (values[0]?.kind !== 'text') {
        throw invalid(`${field} needs a value of kind text: a pattern`);
      }
      return;
    default:
      takes satisfies never;
  }
}

function valueOf(value: Value__Output, field: string): Parameter {
  if (value.kind === undefined) throw invalid(`${field} has no value`);
  if (value.kind === 'null') {
    throw invalid(`${field} is NULL, which nothing is equal to; use FILTER_OPERATOR_IS_NULL`);
  }
  if (value.text?.includes('\0') === true) {
    throw invalid(`${field} contains the character U+0000, which PostgreSQL cannot store`);
  }
  return parameterOf(value, 0);
}
