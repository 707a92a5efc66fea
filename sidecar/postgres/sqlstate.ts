import { HoldfastError, type ErrorKind, type Reason } from '../../platform/errors.ts';
import type { Parameter } from './frontend-messages.ts';

/** Fields of PostgreSQL's ErrorResponse by their letter: C is the SQLSTATE, M the message, n the constraint … */
export type ServerErrorFields = Readonly<Record<string, string>>;

interface Meaning {
  readonly kind: ErrorKind;
  readonly reason?: Reason;
  readonly retryAfterMs?: number;
}

/** By whole SQLSTATE, else by its class (the first two characters). https://www.postgresql.org/docs/current/errcodes-appendix.html */
const meanings: Readonly<Record<string, Meaning>> = {
  '08': { kind: 'unavailable', reason: 'CONNECTION_LOST' },
  '08P01': { kind: 'invalid' }, // too few parameters, or too many
  '0A': { kind: 'unimplemented' },
  '21': { kind: 'invalid' },
  '22': { kind: 'invalid' },
  '23': { kind: 'precondition' },
  '23505': { kind: 'already-exists' },
  '23P01': { kind: 'already-exists' },
  '25': { kind: 'precondition' },
  '25P03': { kind: 'precondition', reason: 'IDLE_IN_TRANSACTION_TIMEOUT' },
  '25P04': { kind: 'precondition', reason: 'TRANSACTION_TIMEOUT' },
  '26': { kind: 'invalid' },
  '28': { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' },
  '34': { kind: 'not-found' },
  '3B': { kind: 'precondition' },
  '3D': { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' },
  '3F': { kind: 'invalid' },
  '40': { kind: 'conflict' },
  '40001': { kind: 'conflict', reason: 'SERIALIZATION_FAILURE', retryAfterMs: 10 },
  '40P01': { kind: 'conflict', reason: 'DEADLOCK_DETECTED', retryAfterMs: 10 },
  '42': { kind: 'invalid' },
  '42501': { kind: 'forbidden' },
  '53': { kind: 'exhausted' },
  '54': { kind: 'exhausted' },
  '55': { kind: 'precondition' },
  '55P03': { kind: 'conflict' },
  '57': { kind: 'unavailable', reason: 'CONNECTION_LOST' },
  '57014': { kind: 'deadline', reason: 'STATEMENT_TIMEOUT' },
  '58': { kind: 'internal' },
  F0: { kind: 'internal' },
  HF001: { kind: 'conflict', reason: 'FENCED' }, // ours: check_fences
  XX: { kind: 'internal' },
};

/** Codes of every other class, and those that functions of the database make up, say that the statement does not fit the state of the data. */
const unlisted: Meaning = { kind: 'precondition' };

const metadataOf = {
  C: 'sqlstate',
  s: 'schema',
  t: 'table',
  c: 'column',
  n: 'constraint',
  P: 'position',
  H: 'hint',
} as const;

/**
 * What the server's error means to callers. DETAIL and CONTEXT stay behind: they quote values of rows and parameters. `params` are those of the
 * statement, so that the message does not quote them either.
 */
export function databaseError(
  fields: ServerErrorFields,
  pool: string,
  params: readonly Parameter[] = [],
): HoldfastError {
  const sqlstate = fields['C'] ?? 'XX000';
  const meaning = meanings[sqlstate] ?? meanings[sqlstate.slice(0, 2)] ?? unlisted;
  const metadata: Record<string, string> = {};
  for (const [letter, name] of Object.entries(metadataOf)) {
    const value = fields[letter];
    if (value !== undefined) metadata[name] = value;
  }
  return new HoldfastError(
    meaning.kind,
    meaning.reason ?? 'DATABASE_ERROR',
    messageOf(fields, sqlstate, params),
    {
      target: pool,
      metadata,
      ...(meaning.retryAfterMs === undefined ? {} : { retryAfterMs: meaning.retryAfterMs }),
    },
  );
}

/**
 * Messages of class 22 end in the offending value: `invalid input syntax for type integer: "…"`, in the quotes of the server's language. Others quote a
 * parameter that should have been a name, or a text to be parsed: `no operand in tsquery: "…"`.
 */
function messageOf(
  fields: ServerErrorFields,
  sqlstate: string,
  params: readonly Parameter[],
): string {
  let message = fields['M'] ?? 'the database reported an error without a message';
  if (sqlstate.startsWith('22')) message = message.replace(quoted, '"…"');
  for (const param of params) {
    if (typeof param !== 'string' || param === '') continue;
    message = message.replaceAll(`"${param}"`, '"…"');
  }
  return message;
}

const quoted = /["„“”«»‹›「」][^]*["„“”«»‹›「」]/;
