import { Call, deadlineExceeded, type Scope } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Connection } from './connection.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Step } from './exchange.ts';
import type { Loan } from './pool-loan.ts';
import { type DecodedRow, decodeRows } from './result-decoder.ts';
import { textArray } from './text-array.ts';

/** A session by what SQL cannot change. */
export interface SessionIdentity {
  readonly address: string;
  readonly port: number;
  /** backend_start, in microseconds since 1970 on the server's clock. */
  readonly startedUs: number;
}

/** All sessions that count, and the limits that they count against. */
export interface ServerSessions {
  readonly sessions: readonly SessionIdentity[];
  /** CONNECTION LIMIT; -1 = none. */
  readonly roleLimit: number;
  readonly databaseLimit: number;
  /** max_connections less what is reserved. */
  readonly serverLimit: number;
}

/** How the server is asked: on a session of a pool. */
export interface SessionAsker {
  readonly lend: (call: Call) => Promise<Loan<Connection>> | Loan<Connection>;
  /** As whom the pool connects, now. */
  readonly user: () => string;
}

const patienceMs = 2_000;
const mostAnswerBytes = 32 * 1024 * 1024;
const alone: Scope = { onClose: () => () => {}, push: () => {} };

const addressOf = controlStatement('SELECT pg_catalog.host(pg_catalog.inet_client_addr())');

const started = '(extract(epoch from backend_start) * 1000000)::int8';
/**
 * Who counts is what the server counts: the sessions of the role where the role has the (lower) limit, or there is none; else those in the database. Of
 * sessions that the role may not look at, only that they are there is told.
 */
const sessionsInUse = controlStatement(`WITH limits AS (
  SELECT rolconnlimit AS of_role,
    (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database()) AS of_database
  FROM pg_catalog.pg_roles WHERE rolname = session_user
)
SELECT coalesce(host(client_addr), '?'), CASE WHEN client_port > 0 THEN client_port ELSE 1 END, coalesce(${started}, 0)
FROM pg_catalog.pg_stat_activity, limits
WHERE coalesce(backend_type, 'client backend') = 'client backend' AND usename IS NOT NULL
  AND CASE WHEN of_database >= 0 AND (of_role < 0 OR of_database < of_role)
    THEN datname = current_database() ELSE usename = ANY ($1::text[]) END`);
const limits = controlStatement(`SELECT rolconnlimit,
  (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database()),
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0)
FROM pg_catalog.pg_roles WHERE rolname = session_user`);
const terminate = controlStatement(`SELECT pg_catalog.pg_terminate_backend(pid)
FROM pg_catalog.pg_stat_activity
JOIN unnest($1::text[], $2::int4[], $3::int8[]) AS ended (address, port, started_us)
  ON host(client_addr) = address AND client_port = port AND ${started} = started_us
WHERE backend_type = 'client backend' AND usename = session_user AND pid <> pg_backend_pid()`);

/** The address of this pod as the server sees it; empty over a Unix socket. */
export async function addressSeen(asker: SessionAsker, clock: Clock): Promise<string> {
  const [rows] = await ask([addressOf], asker, clock);
  return rows?.[0]?.[0] ?? '';
}

/** Lists what counts. `users`: all roles that connect under the budget. */
export async function listSessions(
  users: readonly string[],
  asker: SessionAsker,
  clock: Clock,
): Promise<ServerSessions> {
  const steps = [{ ...sessionsInUse, params: [textArray(users)] }, limits];
  const [rows = [], [found] = []] = await ask(steps, asker, clock);
  const [roleLimit = -1, databaseLimit = -1, serverLimit = 0] = (found ?? []).map(Number);
  const sessions = rows.map(([address, port, startedUs]) => {
    return { address: address ?? '?', port: Number(port), startedUs: Number(startedUs) };
  });
  return { sessions, roleLimit, databaseLimit, serverLimit };
}

/** Ends sessions of the pool's own role, each only if address, port and start are all the same. Resolves with how many it ended. */
export async function endSessions(
  sessions: readonly SessionIdentity[],
  asker: SessionAsker,
  clock: Clock,
): Promise<number> {
  const params = [
    textArray(sessions.map(({ address }) => address)),
    textArray(sessions.map(({ port }) => `${port}`)),
    textArray(sessions.map(({ startedUs }) => `${startedUs}`)),
  ];
  const [rows = []] = await ask([{ ...terminate, params }], asker, clock);
  return rows.length;
}

async function ask(
  steps: readonly Step[],
  { lend }: SessionAsker,
  clock: Clock,
): Promise<(readonly DecodedRow[])[]> {
  const call = new Call({
    scope: alone,
    deadlineAtMs: clock.now() + patienceMs,
    priority: 'high',
  });
  const stop = clock.after(patienceMs, () => call.end(deadlineExceeded()));
  try {
    const loan = await lend(call);
    const { connection } = loan;
    const exchange = new Exchange(steps, mostAnswerBytes);
    connection.submit(exchange);
    const unlisten = call.onEnd(() => connection.cancel(exchange));
    await exchange.done;
    unlisten();
    if (exchange.cancelRequested) await connection.quiet();
    loan.giveBack(connection.status !== 'I');
    if (exchange.failure !== undefined) {
      const { fields, error } = exchange.failure;
      throw error ?? new Error(fields?.['M'] ?? 'the server did not answer');
    }
    return exchange.results.map(decodeRows);
  } catch (thrown) {
    throw HoldfastError.from(thrown);
  } finally {
    stop();
  }
}
