import type { BatchRequest__Output } from '../../../platform/gen/holdfast/v1/BatchRequest.ts';
import type { Fetch__Output } from '../../../platform/gen/holdfast/v1/Fetch.ts';
import type { Savepoint__Output } from '../../../platform/gen/holdfast/v1/Savepoint.ts';
import type { Statement } from '../../postgres/exchange.ts';
import { invalid, statementOf } from './statement-values.ts';

const mostStatements = 1_000;
const mostFetched = 100_000;
const defaultFetched = 1_000;
const mostNameBytes = 63;

/** The statements of a batch, checked. Throws INVALID_REQUEST. */
export function batchStatements({ statements }: BatchRequest__Output): readonly Statement[] {
  if (statements.length === 0) throw invalid('the batch has no statement');
  if (statements.length > mostStatements) {
    throw invalid(`the batch has ${statements.length} statements, more than ${mostStatements}`);
  }
  return statements.map(({ sql, params }) => statementOf(sql, params));
}

/** SAVEPOINT, RELEASE SAVEPOINT or ROLLBACK TO SAVEPOINT. */
export function savepointSql({ action, name }: Savepoint__Output): string {
  const quoted = quoteName(name, 'the savepoint');
  switch (action) {
    case 'ACTION_SET':
      return `SAVEPOINT ${quoted}`;
    case 'ACTION_RELEASE':
      return `RELEASE SAVEPOINT ${quoted}`;
    case 'ACTION_ROLLBACK':
      return `ROLLBACK TO SAVEPOINT ${quoted}`;
    case 'ACTION_UNSPECIFIED':
      throw invalid('the savepoint has no action');
    default:
      throw invalid('the savepoint has an action that this sidecar does not know');
  }
}

export function fetchSql({ cursor, maxRows }: Fetch__Output): string {
  if (maxRows > mostFetched) throw invalid(`max_rows is ${maxRows}, more than ${mostFetched}`);
  return `FETCH FORWARD ${maxRows === 0 ? defaultFetched : maxRows} FROM ${quoteName(cursor, 'the cursor')}`;
}

function quoteName(name: string, what: string): string {
  if (name === '') throw invalid(`${what} has no name`);
  if (Buffer.byteLength(name) > mostNameBytes) {
    throw invalid(`the name of ${what} is longer than ${mostNameBytes} bytes`);
  }
  if (name.includes('\0')) throw invalid(`the name of ${what} contains the character U+0000`);
  return `"${name.replaceAll('"', '""')}"`;
}
