import { HoldfastError } from '../../../platform/errors.ts';
import type { Value__Output } from '../../../platform/gen/holdfast/v1/Value.ts';
import type { Parameter } from '../../postgres/frontend-messages.ts';
import type { Statement } from '../../postgres/exchange.ts';

const mostSqlBytes = 1024 * 1024;
const mostParams = 65_535;

/** A statement of a request, checked. Throws INVALID_REQUEST. */
export function statementOf(sql: string, params: readonly Value__Output[]): Statement {
  if (sql === '') throw invalid('sql is empty');
  if (sql.length > mostSqlBytes) throw invalid(`sql is longer than ${mostSqlBytes} bytes`);
  if (sql.includes('\0')) throw invalid('sql contains the character U+0000');
  if (params.length > mostParams) {
    throw invalid(`${params.length} parameters are more than PostgreSQL takes (${mostParams})`);
  }
  return { sql, params: params.length === 0 ? none : params.map(parameterOf) };
}

const none: readonly Parameter[] = [];

/** A value as PostgreSQL takes it: text, binary for bytea, or NULL. */
export function parameterOf(value: Value__Output, at: number): Parameter {
  switch (value.kind) {
    case 'text':
      return textOf(value.text ?? '', at);
    case 'int':
      return String(value.int);
    case 'null':
      return null;
    case 'bool':
      return value.bool === true ? 'true' : 'false';
    case 'double':
      return Object.is(value.double, -0) ? '-0' : String(value.double);
    case 'bytes':
      return value.bytes ?? null;
    case undefined:
      throw invalid(`parameter $${at + 1} has no value; for NULL set \`null\``);
    default:
      return value.kind satisfies never;
  }
}

function textOf(text: string, at: number): string {
  if (text.includes('\0')) {
    throw invalid(
      `parameter $${at + 1} contains the character U+0000, which PostgreSQL cannot store`,
    );
  }
  return text;
}

export const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);
