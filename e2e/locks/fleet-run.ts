import pg from 'pg';
import { connect } from '../../clients/typescript/index.ts';
import { startPostgres } from '../../scripts/servers/postgres.ts';
import { startRedis } from '../../scripts/servers/redis.ts';
import { migrate } from '../../sidecar/postgres/migrate.ts';
import { urlPostgres } from '../../sidecar/settings/targets.ts';
import { randomFrom } from '../soak/random.ts';
import { counterSchema, newCounterSql } from './counter-work.ts';
import { counterNames } from './crowd.ts';
import { Fleet } from './fleet.ts';
import { breakThings } from './fleet-faults.ts';
import { type Verdict, verdictOf } from './verdict.ts';

interface FleetRun {
  readonly authority: 'Redis' | 'Postgres';
  readonly sidecars: number;
  /** Of each sidecar. */
  readonly clients: number;
  readonly locks: number;
  readonly ttlMs: number;
  readonly forMs: number;
  readonly seed: number;
}

interface FleetVerdict extends Verdict {
  readonly happened: ReadonlyMap<string, number>;
}

/** A fleet on servers of its own that is broken at random for so long, and what became of the promises. */
export async function runFleet(run: FleetRun): Promise<FleetVerdict> {
  const { authority, locks, ttlMs, forMs, seed } = run;
  await using started = new AsyncDisposableStack();
  const postgres = await startPostgres({
    settings: { synchronous_commit: 'on', max_connections: '300' },
  });
  started.defer(() => postgres.stop());
  // It forgets everything when it crashes.
  const redis = await startRedis();
  started.defer(() => redis.stop());
  const { connection } = urlPostgres(postgres.url, { secretsDir: '', readFile: () => '' });
  await migrate(connection);
  const query = async (sql: string, params?: string[]): Promise<string | undefined> => {
    const client = new pg.Client(postgres.url);
    await client.connect();
    try {
      const { rows } = await client.query<{ n: string }>(sql, params);
      return rows[0]?.n;
    } finally {
      await client.end();
    }
  };
  for (const sql of counterSchema.split(';')) await query(sql);
  for (const name of counterNames(locks)) await query(newCounterSql, [name]);

  const servers = { databaseUrl: postgres.url, redisUrl: redis.url };
  const fleet = await Fleet.start({ ...run, ...servers });
  started.defer(() => fleet.stop());
  const random = randomFrom(seed);
  const happened = await breakThings({ fleet, authority, redis, postgres, ttlMs, random }, forMs);
  await fleet.endClients();
  const { events, told } = fleet.history();
  const holdfast = connect({ address: fleet.cells[0]?.sidecar.address ?? '' });
  started.defer(() => holdfast.close());
  // Whatever is still open is waited for, or barred, before anybody counts.
  const count = async (): Promise<number> =>
    Number(
      await query(
        'select (select sum(n) from counters) + (select coalesce(sum(n), 0) from shares) as n',
      ),
    );
  return { ...(await verdictOf(events, told, count, holdfast.database())), happened };
}
