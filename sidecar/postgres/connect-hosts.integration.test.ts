import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { connectToHosts, type HostsTarget, type SessionAttributes } from './connect-hosts.ts';
import { beside, rejection } from './database.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

/** Nobody listens on the first host. */
function target(targetSessionAttrs: SessionAttributes): HostsTarget {
  const { hostname, port, username, password, pathname } = new URL(server.url);
  return {
    pool: 'default',
    hosts: [
      { host: hostname, port: 1 },
      { host: hostname, port: Number(port) },
    ],
    targetSessionAttrs,
    user: username,
    password,
    database: pathname.slice(1),
    applicationName: 'holdfast-test',
    tls: undefined,
    preparedStatements: true,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 1_000,
    idleInTransactionTimeoutMs: 1_000,
  };
}

test.each(['any', 'primary', 'read-write'] as const)(
  'the first host that answers and is %s is taken',
  async (wanted) => {
    const connection = await connectToHosts(target(wanted), systemClock);
    expect(connection.usable).toBe(true);
    connection.close();
    await connection.closed;
  },
);

test.each(['standby', 'read-only'] as const)(
  'a primary is refused where %s is asked for',
  async (wanted) => {
    const error = await rejection(connectToHosts(target(wanted), systemClock));
    expect(error).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    expect(error.message).toContain('target_session_attrs');
  },
);

test('a database that is read only by default is read-only, and no read-write', async () => {
  const name = new URL(server.url).pathname.slice(1);
  await beside(server.url, (client) =>
    client.query(`alter database ${name} set default_transaction_read_only = on`),
  );
  try {
    const connection = await connectToHosts(target('read-only'), systemClock);
    connection.close();
    expect(await rejection(connectToHosts(target('read-write'), systemClock))).toMatchObject({
      reason: 'DATABASE_UNAVAILABLE',
    });
  } finally {
    await beside(server.url, async (client) => {
      await client.query('set session characteristics as transaction read write');
      await client.query(`alter database ${name} reset default_transaction_read_only`);
    });
  }
});
