import pg from 'pg';
import { Call, type Scope } from '../../platform/call.ts';
import { systemClock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { BeginOptions } from './begin-statement.ts';
import { connectToHosts, type HostsTarget } from './connect-hosts.ts';
import { freeTargets } from '../resilience/targets.test-kit.ts';
import { Database, type DatabaseOptions } from './database.ts';
import type { PoolOptions } from './pool-options.ts';
import type { StatementResult } from './exchange.ts';
import { decodeRows } from './result-decoder.ts';

export interface TestPool {
  readonly database: Database;
  /** Texts of statements that were reported as slow. */
  readonly slow: readonly string[];
  close(): Promise<void>;
}

type Options = Partial<Omit<DatabaseOptions, 'pool'>> & {
  readonly pool?: Partial<PoolOptions>;
  readonly statementTimeoutMs?: number;
  readonly preparedStatements?: boolean;
  readonly tls?: HostsTarget['tls'];
  /** More hosts for the same database, and which of them will do. */
  readonly otherPorts?: readonly number[];
  readonly targetSessionAttrs?: HostsTarget['targetSessionAttrs'];
};

/** A database with a pool of its own on the test server; sessions are called `holdfast-test`. */
export function openDatabase(url: string, options: Options = {}): TestPool {
  const { hostname, port, username, password, pathname } = new URL(url);
  const slow: string[] = [];
  const target: HostsTarget = {
    pool: 'default',
    hosts: [Number(port), ...(options.otherPorts ?? [])].map((each) => ({
      host: hostname,
      port: each,
    })),
    targetSessionAttrs: options.targetSessionAttrs ?? 'any',
    user: username,
    password,
    database: pathname.slice(1),
    applicationName: 'holdfast-test',
    tls: options.tls,
    preparedStatements: options.preparedStatements ?? true,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 30_000,
    idleInTransactionTimeoutMs: 60_000,
  };
  const database = new Database(
    {
      name: 'default',
      transactionTimeoutMs: 60_000,
      idleInTransactionTimeoutMs: 30_000,
      slowStatementMs: 500,
      maxResultBytes: 16 * 1024 * 1024,
      ...options,
      pool: {
        min: 0,
        max: 10,
        overflow: 0,
        acquireTimeoutMs: 5_000,
        queueLimit: 10_000,
        idleTimeoutMs: 60_000,
        maxLifetimeMs: 600_000,
        lifetimeJitter: 0.1,
        probeAfterMs: 30_000,
        ...options.pool,
      },
    },
    {
      clock: systemClock,
      random: Math.random,
      open: () => connectToHosts(target, systemClock),
      target: freeTargets().of('Postgres', 'default'),
      events: {
        waited: () => {},
        refused: () => {},
        opened: () => {},
        closed: () => {},
        statement: () => {},
        slow: (sql) => slow.push(sql),
      },
    },
  );
  return { database, slow, close: () => database.close() };
}

/** A transaction like any other. */
export const plainBegin: BeginOptions = {
  isolation: 'default',
  readOnly: false,
  deferrable: false,
  timeoutMs: 20_000,
  idleTimeoutMs: 20_000,
  onAborted: () => {},
};

const noScope: Scope = { onClose: () => () => {}, push: () => {} };

/** A call with nothing around it. */
export const aCall = (deadlineMs = Infinity): Call =>
  new Call({ scope: noScope, deadlineAtMs: systemClock.now() + deadlineMs });

/** The first cell of each row. */
export const firstCells = (result: StatementResult): (string | null)[] =>
  decodeRows(result).map(([cell]) => cell ?? null);

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<HoldfastError> {
  return promise.then(
    () => {
      throw new Error('it was not rejected');
    },
    (error: unknown) => error as HoldfastError,
  );
}

/** A superuser's connection beside the pool. */
export async function beside<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Sessions of the pool on the server, by state. */
export const serverSessions = (
  url: string,
): Promise<readonly { pid: number; state: string; query: string }[]> =>
  beside(url, async (client) => {
    const { rows } = await client.query<{ pid: number; state: string; query: string }>(
      `select pid, state, query from pg_stat_activity where datname = current_database() and application_name = 'holdfast-test'`,
    );
    return rows;
  });
