import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../platform/clock.ts';
import { beside, openDatabase, type TestPool } from '../../postgres/database.test-kit.ts';
import { openNotificationSession } from '../../postgres/notification-session.ts';
import { Notifications } from '../../postgres/notifications.ts';
import type { SuiteAuthority, SuiteServer } from './authority-suite.test-kit.ts';
import { PostgresAuthority } from './postgres-authority.ts';

export interface TestPostgresAuthority extends SuiteAuthority {
  readonly authority: PostgresAuthority;
  readonly pool: TestPool;
  readonly notifications: Notifications;
}

/** An authority with a pool and a session that listens of its own, as another sidecar has it. */
export function postgresAuthority(
  url: string,
  { connections = 1, longestTtlMs = 500 } = {},
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
  const authority = new PostgresAuthority({
    clock: systemClock,
    random: Math.random,
    newId: randomUUID,
    database: () => pool.database,
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
