import type { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../../scripts/servers/template-database.ts';
import { testDatabase } from '../../scripts/servers/test-database.ts';
import type { TestDatabase } from '../../scripts/servers/test-database.ts';
import { installedVersion, migrate, schemaVersion } from './migrate.ts';

let database: TestDatabase;

const target = (url: string) => {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    hosts: [
      { host: '127.0.0.1', port: 1 },
      { host: hostname, port: Number(port) },
    ],
    user: username,
    password,
    database: pathname.slice(1),
    tls: undefined,
  };
};

beforeEach(async () => {
  database = await testDatabase();
  await connectTo(database.url, (client) => client.query('drop schema holdfast cascade'));
});

afterEach(() => database.drop());

const applied = (): Promise<{ version: number; name: string }[]> =>
  connectTo(database.url, async (client) => {
    const { rows } = await client.query<{ version: number; name: string }>(
      'select version, name from holdfast.migrations where applied_at <= now() order by version',
    );
    return rows;
  });

test('a database without the schema gets every migration, each recorded once', async () => {
  expect(await migrate(target(database.url))).toEqual({ from: 0, to: schemaVersion });
  expect((await applied()).map(({ version }) => version)).toEqual(
    Array.from({ length: schemaVersion }, (_, index) => index + 1),
  );
  expect((await applied())[0]?.name).toBe('schema');
});

test('running again changes nothing', async () => {
  await migrate(target(database.url));
  const before = await applied();
  expect(await migrate(target(database.url))).toEqual({ from: schemaVersion, to: schemaVersion });
  expect(await applied()).toEqual(before);
});

test('ten processes that migrate at once all succeed, and each migration ran once', async () => {
  const results = await Promise.all(
    Array.from({ length: 10 }, () => migrate(target(database.url))),
  );
  expect(results.every(({ to }) => to === schemaVersion)).toBe(true);
  expect(await applied()).toHaveLength(schemaVersion);
});

test('a database newer than the build is refused and left alone', async () => {
  await migrate(target(database.url));
  const future = schemaVersion + 7;
  await connectTo(database.url, (client) =>
    client.query(`insert into holdfast.migrations values ($1, 'from the future')`, [future]),
  );
  await expect(migrate(target(database.url))).rejects.toThrow(
    `schema holdfast is at version ${future} and this build knows ${schemaVersion}`,
  );
  expect(await applied()).toHaveLength(schemaVersion + 1);
});

test('a migration that fails leaves nothing behind', async () => {
  // A schema that somebody else made under the same name.
  await connectTo(database.url, (client) =>
    client.query('create schema holdfast create table holdfast.theirs ()'),
  );
  await expect(migrate(target(database.url))).rejects.toThrow('schema "holdfast" already exists');
  await connectTo(database.url, async (client: Client) => {
    expect(await installedVersion(client)).toBe(0);
  });
});
