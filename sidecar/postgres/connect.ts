import type { Duplex } from 'node:stream';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import pg from 'pg';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { Connection } from './connection.ts';
import { countSocket } from './counted-socket.ts';
import { freePermit, type SessionPermit, sessionTooLate } from './session-budget.ts';
import { isFull } from './pool-errors.ts';
import { databaseError } from './sqlstate.ts';

/** Where a pool connects to, and as whom. */
export interface ConnectTarget {
  /** Name of the pool, for errors. */
  readonly pool: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly applicationName: string;
  readonly tls: TlsOptions | undefined;
  /** The server is to be one that writes; one that is not any more is left. */
  readonly expectsWrites: boolean;
  /** False behind a pooler that gives every transaction another session of the server. */
  readonly preparedStatements: boolean;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** The server's own guard, in case the sidecar is gone or stopped: longer than the sidecar's. */
  readonly idleInTransactionTimeoutMs: number;
  /** Results that are being gathered are to be given up. */
  readonly memoryIsFull?: () => boolean;
}

/** What the server was when the connection was made. */
export interface ServerRole {
  /** It follows a primary. */
  readonly standby: boolean;
  /** Transactions are read only unless they say otherwise. */
  readonly readOnly: boolean;
}

interface Connected {
  readonly connection: Connection;
  readonly role: ServerRole;
}

/** From the end of our side to cutting the socket. */
const closeGraceMs = 900;

/** node-postgres' words for a connect that took too long. */
const expired = 'timeout expired';

/** What node-postgres has and its types leave out. */
interface PgWire {
  readonly stream: Duplex;
  connect(port: number, host: string): void;
  connect(path: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  on(event: string, listener: (argument: never) => void): void;
}
interface PgClient {
  readonly connection: PgWire;
  readonly processID: number;
  readonly secretKey: number;
}

/**
 * Opens one connection. node-postgres connects, negotiates TLS and authenticates (SCRAM, MD5); then the socket is taken over, because from
 * there on it would make an object of every row and a string of every cell.
 *
 * @throws HoldfastError CONNECT_TIMEOUT, DATABASE_UNAVAILABLE, CONNECTION_BUDGET when the permit ends meanwhile, or what the server said; POOL_EXHAUSTED never.
 */
export async function connect(
  target: ConnectTarget,
  clock: Clock,
  permit: SessionPermit = freePermit,
): Promise<Connected> {
  const client = new pg.Client({
    host: target.host,
    port: target.port,
    user: target.user,
    // An empty password keeps node-postgres from looking for a .pgpass file.
    password: target.password ?? '',
    database: target.database,
    application_name: target.applicationName,
    ssl: target.tls ?? false,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: target.connectTimeoutMs,
    statement_timeout: target.statementTimeoutMs,
    idle_in_transaction_session_timeout: target.idleInTransactionTimeoutMs,
  });
  const { connection: wire } = client as unknown as PgClient;
  const told = new Map<string, string>();
  wire.on(
    'parameterStatus',
    ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) => {
      told.set(parameterName, parameterValue);
    },
  );
  client.on('error', () => {}); // told by connect() before the takeover, by the Connection after it
  const counting = countSocket(wire, permit);
  try {
    await client.connect();
  } catch (cause) {
    if (counting.withheld) throw sessionTooLate(target.pool);
    const error = connectError(cause, target);
    if (isFull(error)) counting.refused();
    await leave(wire.stream, error.metadata['sqlstate'] !== undefined, clock);
    throw error;
  }
  const { processID, secretKey } = client as unknown as PgClient;
  const socket = wire.stream;
  socket.removeAllListeners('data');
  const misfit = misfitOf(told);
  const isInTime = counting.opened();
  if (misfit !== undefined || !isInTime) {
    counting.closing();
    await leave(socket, true, clock);
    if (misfit === undefined) throw sessionTooLate(target.pool);
    throw new HoldfastError(
      'precondition',
      'DATABASE_UNAVAILABLE',
      `the database of pool "${target.pool}" has ${misfit}`,
      { target: target.pool },
    );
  }
  const connection = new Connection({
    socket,
    clock,
    pool: target.pool,
    preparedStatements: target.preparedStatements,
    statementTimeoutMs: target.statementTimeoutMs,
    memoryIsFull: target.memoryIsFull,
    requestCancel: () => requestCancel(target, processID, secretKey, clock),
    onBroken: () => counting.closing(),
  });
  connection.expectsWrites = target.expectsWrites;
  // Told by PostgreSQL 14 and later.
  const role = {
    standby: told.get('in_hot_standby') === 'on',
    readOnly: told.get('default_transaction_read_only') === 'on',
  };
  return { connection, role };
}

/** The server is about to close the socket, or does so when it sees ours end: that is waited for, because its session is gone then. */
async function leave(stream: Duplex, serverCloses: boolean, clock: Clock): Promise<void> {
  if (!serverCloses) return void stream.destroy();
  if (stream.destroyed) return;
  const stop = clock.after(closeGraceMs, () => stream.destroy());
  await new Promise((resolve) => {
    stream.once('close', resolve);
    stream.resume();
    stream.end();
  });
  stop();
}

/** Settings under which texts would be read wrongly, and what to do about them. */
function misfitOf(told: ReadonlyMap<string, string>): string | undefined {
  if (told.get('server_encoding') === 'SQL_ASCII') {
    return `the encoding SQL_ASCII, whose text cannot be told to be UTF-8; create it with ENCODING 'UTF8'`;
  }
  if (told.get('standard_conforming_strings') === 'off') {
    return 'standard_conforming_strings off, which hides where a string ends; set it to on for the role or the database';
  }
  return undefined;
}

/** Asks the server to stop what a session runs. Resolves when the server has closed the request's connection: it has signalled by then. */
function requestCancel(
  target: ConnectTarget,
  processId: number,
  secretKey: number,
  clock: Clock,
): Promise<void> {
  const ConnectionClass = pg.Connection as unknown as new (options: { ssl: unknown }) => PgWire;
  const wire = new ConnectionClass({ ssl: target.tls ?? false });
  return new Promise((resolve) => {
    const stop = clock.after(target.connectTimeoutMs, () => wire.stream.destroy());
    wire.on('connect', () =>
      target.tls === undefined ? wire.cancel(processId, secretKey) : wire.requestSsl(),
    );
    wire.on('sslconnect', () => wire.cancel(processId, secretKey));
    wire.on('error', () => wire.stream.destroy());
    wire.on('end', () => {
      stop();
      resolve();
    });
    if (target.host.startsWith('/')) wire.connect(`${target.host}/.s.PGSQL.${target.port}`);
    else wire.connect(target.port, target.host);
  });
}

interface NodeOrServerError {
  readonly code?: string;
  readonly message?: string;
  readonly severity?: string;
}

function connectError(cause: unknown, { pool, connectTimeoutMs }: ConnectTarget): HoldfastError {
  const { code = '', message = '', severity } = cause as NodeOrServerError;
  if (severity !== undefined) {
    const error = databaseError({ C: code, M: message }, pool);
    return new HoldfastError(
      'unavailable',
      'DATABASE_UNAVAILABLE',
      `the database refuses connections of pool "${pool}": ${error.message}`,
      {
        cause,
        target: pool,
        metadata: error.metadata,
      },
    );
  }
  if (message === expired) {
    return new HoldfastError(
      'unavailable',
      'CONNECT_TIMEOUT',
      `the database did not answer within ${connectTimeoutMs} ms (connectTimeoutMs of pool "${pool}")`,
      {
        target: pool,
      },
    );
  }
  return new HoldfastError(
    'unavailable',
    'DATABASE_UNAVAILABLE',
    `the database of pool "${pool}" cannot be reached${code === '' ? '' : ` (${code})`}`,
    {
      cause,
      target: pool,
    },
  );
}
