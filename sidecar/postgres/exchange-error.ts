import { HoldfastError } from '../../platform/errors.ts';
import type { Call } from '../../platform/call.ts';
import type { Exchange } from './exchange.ts';
import { databaseError } from './sqlstate.ts';

interface Circumstances {
  readonly pool: string;
  /** Whether the exchange may have changed something that it also committed. */
  readonly writes: boolean;
  /** Steps before the caller's first one; set for a batch, whose error names the statement. */
  readonly batchOffset?: number;
}

/** SQLSTATE of a write where none may be. */
export const readOnlyTransaction = '25006';

interface Demotable {
  readonly expectsWrites: boolean;
  demote(): void;
}

/** A server that was chosen because it takes writes, and refuses one, is a standby by now. Returns whether it is so. */
export function demoteIfReadOnly({ failure }: Exchange, connection: Demotable): boolean {
  if (failure?.fields?.['C'] !== readOnlyTransaction || !connection.expectsWrites) return false;
  connection.demote();
  return true;
}

/** For work that goes on whatever becomes of its call. */
export const neverEnds = { ended: undefined } as unknown as Call;

/** What an exchange that failed means to the caller. */
export function exchangeError(
  exchange: Exchange,
  call: Call,
  { pool, writes, batchOffset }: Circumstances,
): HoldfastError {
  const { failure } = exchange;
  if (failure?.lost === true && writes && exchange.sent) return commitUnknown(pool, failure.error);
  // A statement that is slow to stop loses its connection, whatever the server said last: what it was stopped for is the news.
  if (failure?.lost === true && exchange.cancelRequested) {
    if (failure.error?.reason === 'RESULT_TOO_LARGE') return failure.error;
    if (call.ended !== undefined) return call.ended;
  }
  if (failure?.fields !== undefined) {
    if (failure.fields['C'] === '57014' && !failure.lost) {
      if (failure.error !== undefined) return failure.error; // stopped for this
      if (call.ended !== undefined) return call.ended;
    }
    if (isStale(exchange)) return withStatement(columnsChanged(pool), exchange, batchOffset);
    const { params } = exchange.steps[exchange.results.length] ?? {};
    return withStatement(databaseError(failure.fields, pool, params), exchange, batchOffset);
  }
  return failure?.error ?? rolledBack(pool);
}

function withStatement(
  error: HoldfastError,
  exchange: Exchange,
  batchOffset: number | undefined,
): HoldfastError {
  if (batchOffset === undefined) return error;
  const statement = exchange.results.length - batchOffset;
  if (statement < 0) return error; // what failed is the sidecar's own
  const { kind, reason, message, target = '', retryAfterMs, metadata } = error;
  return new HoldfastError(kind, reason, message, {
    target,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    metadata: { ...metadata, statement: `${statement}` },
  });
}

/** The server does not know a prepared statement any more, or its columns changed: nothing ran, and preparing it anew mends it. */
export function isStale({ failure }: Exchange): boolean {
  // A statement that runs can fail like this, too: a DO block that has just committed, say.
  if (failure === undefined || failure.began) return false;
  const sqlstate = failure.fields?.['C'];
  return (
    sqlstate === '26000' ||
    (sqlstate === '0A000' && failure.fields?.['R'] === 'RevalidateCachedQuery')
  );
}

const columnsChanged = (pool: string): HoldfastError =>
  new HoldfastError(
    'conflict',
    'STATEMENT_STALE',
    'a table changed since the statement was prepared; it did not run, and will when it is sent again',
    { target: pool, retryAfterMs: 10 },
  );

export const commitUnknown = (
  pool: string,
  cause?: unknown,
  why = 'the connection was lost while the work was being committed',
): HoldfastError =>
  new HoldfastError(
    'unknown-outcome',
    'COMMIT_UNKNOWN',
    `${why}: whether it took effect is not known; Outcome tells of work that had a commit_id`,
    {
      target: pool,
      cause,
    },
  );

/** The deadline passed first; the commit itself goes on. */
export const commitTooSlow = (pool: string, cause: unknown): HoldfastError =>
  commitUnknown(pool, cause, 'the deadline passed before the server answered the commit');

export const rolledBack = (pool: string): HoldfastError =>
  new HoldfastError(
    'conflict',
    'TRANSACTION_ROLLED_BACK',
    'the transaction was rolled back, because a statement of it had failed',
    {
      target: pool,
    },
  );
