import { controlStatement } from './control-statement.ts';
import type { Step, StatementResult } from './exchange.ts';
import { decodeRows } from './result-decoder.ts';

/** One history of one database cluster: a promoted standby and a restored backup go on with another timeline. */
export interface ServerIdentity {
  readonly systemIdentifier: string;
  readonly timeline: string;
}

/** A transaction of one history. Another history may give the same id to a stranger. */
export interface TransactionIdentity extends ServerIdentity {
  /** xid8, in decimal digits. */
  readonly xid: string;
  /** The server's life without a crash. In recovery from one it gives ids of transactions that left no trace on disk to strangers. */
  readonly incarnation: string;
}

/** A server process, whose cluster is known. Behind a pooler it may be another one with every transaction. */
export interface Backend {
  readonly pid: string;
  readonly systemIdentifier: string;
}

/** What a server process says of itself and of the transaction it is in. */
export interface Introduction {
  readonly backend: Backend;
  /** Undefined while it has written nothing, and on a standby. */
  readonly transaction: TransactionIdentity | undefined;
}

/** SQL that gives the timeline of a primary, and NULL on a standby: the one that is being written, not that of the last checkpoint. */
export const timelineSql = `CASE WHEN NOT pg_catalog.pg_is_in_recovery()
  THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END`;
export const systemIdentifierSql = '(SELECT system_identifier FROM pg_catalog.pg_control_system())';

/** SQL that gives a text which a crash changes, and a clean restart does not: recovery drops all statistics. Dropping them by hand changes it, too. */
export const incarnationSql =
  "coalesce(extract(epoch from pg_catalog.pg_stat_get_bgwriter_stat_reset_time())::text, '')";

// To read the system identifier the server opens a file: only another process than the known one is asked for it.
const introduce = controlStatement(
  `SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_current_xact_id_if_assigned(), ${timelineSql},
    CASE WHEN pg_catalog.pg_backend_pid() <> $1 THEN ${systemIdentifierSql} END, ${incarnationSql}`,
);

/** Asks the server process who it is and which transaction it is in. `known` is the one that the connection had last. */
export const introduction = (known: Backend | undefined): Step => ({
  ...introduce,
  params: [known?.pid ?? '0'],
});

export function readIntroduction(
  result: StatementResult,
  known: Backend | undefined,
): Introduction {
  const [pid, xid, timeline, system, incarnation] = decodeRows(result)[0] ?? [];
  const backend = { pid: pid ?? '', systemIdentifier: system ?? known?.systemIdentifier ?? '' };
  const { systemIdentifier } = backend;
  const isKnown =
    typeof xid === 'string' && typeof timeline === 'string' && typeof incarnation === 'string';
  const transaction = isKnown ? { xid, timeline, systemIdentifier, incarnation } : undefined;
  return { backend, transaction };
}
