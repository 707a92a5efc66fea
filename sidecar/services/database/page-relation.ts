import { readFileSync } from 'node:fs';
import type { Statement, StatementResult } from '../../postgres/exchange.ts';
import { decodeRows, type DecodedRow } from '../../postgres/result-decoder.ts';
import { canExist, shownName, unknownIdentifier, type TableName } from './page-name.ts';

/** A table or view as the catalogue has it. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  /** All its columns, in order. */
  readonly columns: readonly string[];
  /** Columns of its primary key, in the key's order; empty without one. */
  readonly key: readonly string[];
}

/** Runs one statement, on a pool or in a transaction. */
export type RunStatement = (statement: Statement) => Promise<StatementResult>;

/** Columns of page-relation.sql. */
const column = { schema: 0, table: 1, name: 2, number: 3, keyNumbers: 4, keySize: 5 } as const;

/** The statement that asks the catalogue. */
export const relationSql = readFileSync(new URL('page-relation.sql', import.meta.url), 'utf8');

/** Looks a table or view up in the catalogue, anew each time. Throws UNKNOWN_IDENTIFIER. */
export async function findRelation(table: TableName, run: RunStatement): Promise<Relation> {
  const { schema, name } = table;
  if (!canExist(name) || (schema !== undefined && !canExist(schema))) throw unknownTable(table);
  const rows = decodeRows(await run({ sql: relationSql, params: [schema ?? null, name] }));
  const [first] = rows;
  if (first === undefined) throw unknownTable(table);
  return {
    schema: text(first, column.schema),
    name: text(first, column.table),
    // A table without columns is one row without a column's name.
    columns: rows.flatMap((row) => row[column.name] ?? []),
    key: keyOf(rows, first),
  };
}

/** The index names its columns by number; those that it only includes come last and are no part of the key. */
function keyOf(rows: readonly DecodedRow[], first: DecodedRow): readonly string[] {
  const size = Number(first[column.keySize] ?? 0);
  const numbers = (first[column.keyNumbers] ?? '').split(' ').slice(0, size);
  return numbers.flatMap((number) =>
    rows.filter((row) => row[column.number] === number).map((row) => text(row, column.name)),
  );
}

const text = (row: DecodedRow, at: number): string => row[at] ?? '';

function unknownTable({ schema, name }: TableName): Error {
  const shown =
    schema === undefined
      ? `${shownName(name)} in the search path`
      : `${shownName(name)} in schema ${shownName(schema)}`;
  return unknownIdentifier('table', `there is no table or view ${shown}`);
}
