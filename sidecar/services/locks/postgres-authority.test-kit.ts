import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { systemClock } from '../../../platform/clock.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { beside, openDatabase, type TestPool } from '../../postgres/database.test-kit.ts';
import { openNotificationSession } from '../../postgres/notification-session.ts';
import { Notifications } from '../../postgres/notifications.ts';
import type { SuiteServer } from './authority-suite.test-kit.ts';
import type { SuiteAuthority } from './lock-attempt.test-kit.ts';
import { PostgresAuthority, type PostgresAuthorityParts } from './postgres-authority.ts';

export interface TestPostgresAuthority extends SuiteAuthority {
  readonly authority: PostgresAuthority;
  readonly pool: TestPool;
  readonly notifications: Notifications;
  /** Statements that it has sent. */
  readonly sent: number;
}

interface AuthorityOptions {
  readonly connections?: number;
  readonly longestTtlMs?: number;
}

/** An authority with a pool and a session that listens of its own, as another sidecar has it. */
export function postgresAuthority(
  url: string,
  { connections = 1, longestTtlMs = 500 }: AuthorityOptions = {},
): TestPostgresAuthority {
  const pool = openDatabase(url, { pool: { max: connections } });
  const { hostname, port, username, password, pathname } = new URL(url);
  const notifications = new Notifications({
    clock: systemClock,
    random: Math.random,
    open: () =>
      openNotificationSession({
        hosts: [{ host: hostname, port: Number(port) }],
        user: username,
        password,
        database: pathname.slice(1),
        tls: undefined,
        applicationName: 'holdfast-test',
        connectTimeoutMs: 5_000,
      }),
  });
  const forced: string[] = [];
  let sent = 0;
  const counted: ReturnType<PostgresAuthorityParts['database']> = {
    name: pool.database.name,
    query: (...asked) => {
      sent += 1;
      return pool.database.query(...asked);
    },
  };
  const authority = new PostgresAuthority({
    clock: systemClock,
    random: Math.random,
    newId: randomUUID,
    database: () => counted,
    notifications,
    longestTtlMs: () => longestTtlMs,
    events: { onForced: (name) => forced.push(name) },
  });
  const cut = async (): Promise<void> => {
    notifications.close();
    await pool.close();
  };
  return {
    authority,
    forced,
    pool,
    notifications,
    get sent() {
      return sent;
    },
    die: cut,
    [Symbol.asyncDispose]: async () => {
      await authority.close();
      await cut();
    },
  };
}

/** For the suite: the server of a test database. */
export const postgresServer = (url: () => string): SuiteServer => ({
  open: () => Promise.resolve(postgresAuthority(url())),
  leftOf: (prefix) =>
    beside(url(), async (client) => {
      const { rows } = await client.query<{ left: number }>(
        `select (select count(*) from holdfast.lock_holders where starts_with(name, $1))::int
          + (select count(*) from holdfast.lock_waiters where starts_with(name, $1))::int as left`,
        [prefix],
      );
      return rows[0]?.left ?? -1;
    }),
});

export interface PostgresLocksKit {
  readonly url: string;
  /** A superuser's, beside the authorities. */
  readonly direct: pg.Client;
  newName(): string;
  /** One more sidecar, until the end of the test. */
  open(url?: string, options?: AuthorityOptions): TestPostgresAuthority;
  /** Ends those that are open. */
  closeAll(): Promise<void>;
  /** Rows that there are of a lock. */
  left(name: string): Promise<number>;
}

/** A database that grants locks for the tests of one file. */
export function postgresLocksKit(): PostgresLocksKit {
  let database: TestDatabase;
  let direct: pg.Client;
  let opened: TestPostgresAuthority[] = [];
  let locks = 0;
  const closeAll = async (): Promise<void> => {
    await Promise.all(opened.map((each) => each[Symbol.asyncDispose]()));
    opened = [];
  };
  beforeAll(async () => {
    database = await testDatabase();
    direct = new pg.Client(database.url);
    await direct.connect();
  });
  afterEach(closeAll);
  afterAll(async () => {
    await direct.end();
    await database.drop();
  });
  return {
    get url() {
      return database.url;
    },
    get direct() {
      return direct;
    },
    newName: () => `lock ${(locks += 1)}`,
    open: (url = database.url, options = {}) => {
      const authority = postgresAuthority(url, options);
      opened.push(authority);
      return authority;
    },
    closeAll,
    left: async (name) => {
      const { rows } = await direct.query<{ n: number }>(
        `select (select count(*) from holdfast.lock_holders where name = $1)::int
          + (select count(*) from holdfast.lock_waiters where name = $1)::int as n`,
        [name],
      );
      return rows[0]?.n ?? -1;
    },
  };
}
