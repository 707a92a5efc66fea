import type { Parameter } from '../../postgres/frontend-messages.ts';
import type { Statement } from '../../postgres/exchange.ts';
import { quoteIdentifier, shownName, unknownIdentifier } from './page-name.ts';
import type { Relation } from './page-relation.ts';
import type { PageFilter, PageQuery, PageSort } from './page-request.ts';

/** The statements of one page. */
export interface PageStatements {
  /** The page's rows and, where there are more, one more. */
  readonly rows: Statement;
  /** How many rows match the filters. */
  readonly count: Statement;
  /** What `rows` reads, each once. */
  readonly columns: readonly string[];
}

/**
 * Writes the SQL of a page. Its text is made of fixed words, `$n`, and names that the catalogue gave, quoted: nothing of the request. So pages that
 * differ only in values and numbers have the same text, and one prepared statement serves them. Throws UNKNOWN_IDENTIFIER.
 */
export function pageStatements(query: PageQuery, relation: Relation): PageStatements {
  const known = new Set(relation.columns);
  const named = (name: string, field: string): string => {
    if (known.has(name)) return name;
    throw unknownIdentifier(
      field,
      `${field}: ${shownName(relation.name)} has no column ${shownName(name)}`,
    );
  };
  const fields =
    query.fields.length === 0
      ? relation.columns
      : query.fields.map((name, at) => named(name, `fields[${at}]`));
  const filters = query.filters.map((filter, at) => ({
    ...filter,
    column: named(filter.column, `filters[${at}].column`),
  }));
  const sort = query.sort.map((each, at) => ({
    ...each,
    column: named(each.column, `sort[${at}].column`),
  }));
  const order = [...sort, ...tieBreakers(relation, sort)];

  const params: Parameter[] = [];
  const placeholder = (value: Parameter): string => `$${params.push(value)}`;
  const source = ` from ${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}${where(filters, placeholder)}`;
  const count = { sql: `select count(*)${source}`, params: [...params] };
  const limit = placeholder(String(query.pageSize + 1));
  const offset = placeholder(String((query.page - 1) * query.pageSize));
  const rows = {
    sql: `select ${list(fields)}${source}${orderBy(order)} limit ${limit} offset ${offset}`,
    params,
  };
  return {
    rows,
    count,
    columns: [...new Set([...fields, ...[...filters, ...order].map(({ column }) => column)])],
  };
}

/** Columns of the primary key that the sort leaves out: with them no two rows are equal, and each has one place. */
function tieBreakers({ key }: Relation, sort: readonly PageSort[]): readonly PageSort[] {
  const sorted = new Set(sort.map(({ column }) => column));
  return key
    .filter((column) => !sorted.has(column))
    .map((column) => ({ column, direction: '', nulls: '' }));
}

function where(filters: readonly PageFilter[], placeholder: (value: Parameter) => string): string {
  if (filters.length === 0) return '';
  return ` where ${filters.map((filter) => condition(filter, placeholder)).join(' and ')}`;
}

function condition(
  { column, operator, values }: PageFilter,
  placeholder: (value: Parameter) => string,
): string {
  const placeholders = values.map(placeholder).join(', ');
  const right =
    operator === 'in' ? ` (${placeholders})` : values.length === 0 ? '' : ` ${placeholders}`;
  return `${quoteIdentifier(column)} ${operator}${right}`;
}

function orderBy(order: readonly PageSort[]): string {
  if (order.length === 0) return '';
  return ` order by ${order.map(({ column, direction, nulls }) => `${quoteIdentifier(column)}${direction}${nulls}`).join(', ')}`;
}

const list = (columns: readonly string[]): string => columns.map(quoteIdentifier).join(', ');
