import { randomInt } from 'node:crypto';
import { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Safety } from './database.ts';
import type { Statement, StatementResult } from './exchange.ts';
import { type FenceMode, fenceSchemaMissing, fencesNotMigrated, letterOf } from './fence-check.ts';
import { decodeRows } from './result-decoder.ts';

/** What a raise needs. */
export interface FenceHost {
  readonly clock: Clock;
  /** The one that the lock protects. */
  readonly database: {
    readonly name: string;
    query(statement: Statement, call: Call, safety: Safety): Promise<StatementResult>;
  };
  /** Sessions were terminated, because their transactions kept a new holder waiting for too long. */
  readonly onTerminated?: (sessions: number) => void;
}

const raiseSql = 'SELECT holdfast.raise_fence($1, $2, $3)';
const clearSql = 'SELECT holdfast.clear_fence($1)';
const mostTickets = 2 ** 31 - 1;
/** Older holders that are alive may begin further transactions while the raise waits. */
const clearEveryMs = 100;
/** Under a default isolation that is stricter than READ COMMITTED, raises that meet fail. */
const mostConflicts = 50;
/** To raise it twice does no harm: the later value counts. */
const repeatable: Safety = { idempotent: true };

/**
 * Makes its caller the newest holder of a lock and resolves with the token: from then on transactions of older holders are refused, and none of them is
 * open. Those still open after `fenceWaitMs` lose their sessions. When it rejects nothing is known: the fence may have been raised.
 */
export async function raiseFence(
  host: FenceHost,
  lock: string,
  mode: FenceMode,
  call: Call,
  fenceWaitMs: number,
): Promise<bigint> {
  const ticket = `${randomInt(mostTickets)}`;
  const statement = { sql: raiseSql, params: [lock, letterOf[mode], ticket] };
  const stop = clearAfter(host, ticket, call, fenceWaitMs);
  try {
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        const [row] = decodeRows(await host.database.query(statement, call, repeatable));
        return BigInt(row?.[0] as string);
      } catch (thrown) {
        const { reason } = HoldfastError.from(thrown);
        if (reason !== 'SERIALIZATION_FAILURE' || conflicts === mostConflicts) throw thrown;
      }
    }
  } catch (thrown) {
    throw raiseError(HoldfastError.from(thrown), host.database.name);
  } finally {
    stop();
  }
}

/** Ends the sessions that keep the raise waiting, from another connection, again and again from `waitMs` on. The result stops it. */
function clearAfter(
  { clock, database, onTerminated }: FenceHost,
  ticket: string,
  raise: Call,
  waitMs: number,
): () => void {
  const { scope, deadlineAtMs } = raise;
  const call = new Call({ scope, deadlineAtMs, priority: 'high' });
  const statement = { sql: clearSql, params: [ticket] };
  const clear = async (): Promise<void> => {
    try {
      const [row] = decodeRows(await database.query(statement, call, repeatable));
      const terminated = Number(row?.[0]);
      if (terminated > 0) onTerminated?.(terminated);
    } catch {
      // The raise goes on waiting, and its caller is told how that ends.
    }
    if (!stopped) stopTimer = clock.after(clearEveryMs, () => void clear());
  };
  let stopped = false;
  let stopTimer = clock.after(waitMs, () => void clear());
  return () => {
    stopped = true;
    stopTimer();
  };
}

function raiseError(error: HoldfastError, pool: string): HoldfastError {
  if (fenceSchemaMissing(error.metadata['sqlstate'] ?? '')) return fencesNotMigrated(pool, error);
  if (error.reason !== 'COMMIT_UNKNOWN') return error;
  return new HoldfastError(
    'unavailable',
    'DATABASE_UNAVAILABLE',
    `the database of pool "${pool}" broke off before it answered`,
    { target: pool, cause: error, retryAfterMs: 100 },
  );
}
