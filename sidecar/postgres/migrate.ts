import { readFileSync, readdirSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Client } from 'pg';
import { HoldfastError } from '../../platform/errors.ts';

interface Migration {
  readonly version: number;
  /** File name without number and ending. */
  readonly name: string;
  readonly sql: string;
}

/** A database, and who may make a schema in it. */
export interface MigrateTarget {
  /** At least one. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: ConnectionOptions | undefined;
}

export interface Migrated {
  /** Version of the schema that was found, 0 where there was none. */
  readonly from: number;
  readonly to: number;
}

const folder = new URL('./migrations/', import.meta.url);

/** Any number will do that nobody else on the database locks. */
const lockKey = '7233186017420562801';

const migrations: readonly Migration[] = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .toSorted()
  .map((file, index) => {
    const [, version, name = ''] = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file) ?? [];
    if (Number(version) !== index + 1) throw new Error(`migrations/${file} is out of sequence`);
    return { version: index + 1, name, sql: readFileSync(new URL(file, folder), 'utf8') };
  });

/** The version of schema `holdfast` that this build works with: the newest on disk. */
export const schemaVersion = migrations.length;

/**
 * Brings schema `holdfast` of a database up to date, one transaction for each migration. Any number of processes may
 * do so at once: they take turns. A database that is newer than this build is left alone and refused.
 */
export async function migrate(target: MigrateTarget): Promise<Migrated> {
  const client = await connectToPrimary(target);
  try {
    const from = await inTurn(client, () => installedVersion(client));
    if (from > schemaVersion) {
      throw new HoldfastError(
        'precondition',
        'DATABASE_ERROR',
        `schema holdfast is at version ${from} and this build knows ${schemaVersion}: run a newer build`,
      );
    }
    for (const migration of migrations) await apply(client, migration);
    return { from, to: schemaVersion };
  } finally {
    await client.end();
  }
}

/** What `migrate` does, as SQL for somebody else to run: on a database without the schema, or with an older one after leaving out what it has. */
export const migrationScript = (): string =>
  migrations
    .map(
      ({ version, name, sql }) =>
        `-- version ${version}\nbegin;\n${sql.trim()}\ninsert into holdfast.migrations (version, name) values (${version}, '${name}');\ncommit;\n`,
    )
    .join('\n');

/** The first host that takes writes. Rejects with what the last one said. */
async function connectToPrimary({ hosts, tls, ...who }: MigrateTarget): Promise<Client> {
  let failure: unknown;
  for (const { host, port } of hosts) {
    const client = new Client({
      ...who,
      host,
      port,
      password: who.password ?? '',
      ssl: tls ?? false,
      application_name: 'holdfast migrate',
      connectionTimeoutMillis: 10_000,
    });
    // A lost connection fails the query that runs; the event says nothing more, and unheard it would end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ standby: boolean }>(
        'select pg_is_in_recovery() as standby',
      );
      if (rows[0]?.standby === false) return client;
      failure = new Error(`${host} is a standby`);
    } catch (thrown) {
      failure = thrown;
    }
    await client.end();
  }
  throw failure;
}

/** Version of schema `holdfast` in the database, 0 where there is none. */
export async function installedVersion(client: Client): Promise<number> {
  // Not to_regclass: it may answer from a cache that has not heard of the table yet.
  const found = await client.query<{ present: boolean }>(
    `select exists (
       select from pg_catalog.pg_tables where schemaname = 'holdfast' and tablename = 'migrations'
     ) as present`,
  );
  if (found.rows[0]?.present !== true) return 0;
  const newest = await client.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from holdfast.migrations',
  );
  return newest.rows[0]?.version ?? 0;
}

async function apply(client: Client, { version, name, sql }: Migration): Promise<void> {
  await inTurn(client, async () => {
    if ((await installedVersion(client)) >= version) return;
    await client.query(sql);
    await client.query('insert into holdfast.migrations (version, name) values ($1, $2)', [
      version,
      name,
    ]);
  });
}

/** Runs `work` in a transaction that no other migration runs beside. The lock is the transaction's, so poolers do no harm. */
async function inTurn<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [lockKey]);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
