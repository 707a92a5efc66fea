import pg from 'pg';
import { stringify } from 'yaml';
import { startPostgres } from '../scripts/servers/postgres.ts';
import { startGrpcEcho } from './grpc-echo.ts';
import { startPgBouncer } from '../scripts/servers/pgbouncer.ts';
import type { Bench, Subject } from './rounds.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';

/** Server connections of every subject. */
const connections = 10;
const accounts = 100_000;

/** Everything that a target can have, and limits that are never met. */
const fullPolicy = stringify({
  apiVersion: 'resilience.holdfast.dev/v1alpha1',
  kind: 'ResiliencePolicy',
  metadata: { name: 'full' },
  spec: {
    targets: [
      {
        kind: 'Postgres',
        name: 'default',
        timeout: { totalMs: 30_000, perTryMs: 10_000 },
        retry: {},
        breaker: {},
        concurrency: { max: 1_000, adaptive: { min: 1_000 } },
        rate: { perSecond: 1_000_000 },
        priorities: [{ priority: 'Low', share: 0.5 }],
      },
    ],
  },
});

/** The point query, through everything that may stand between an application and PostgreSQL. */
export async function queryBench(): Promise<Bench> {
  const postgres = await startPostgres({ settings: { fsync: 'off' } });
  await fill(postgres.url);
  const pgbouncer = await startPgBouncer(postgres.url, connections);
  const sidecar = await startSidecarProcess({ DATABASE_URL: postgres.url, REDIS_URL: 'off' });
  const withPolicy = await startSidecarProcess(
    { DATABASE_URL: postgres.url, REDIS_URL: 'off' },
    { policy: fullPolicy },
  );
  const echo = await startGrpcEcho();

  const throughPg =
    (name: string, url: string, more: { clients: number; pipeline: number; middlePid?: number }) =>
    (inFlight: number): Subject => ({
      name,
      inFlight,
      script: 'query-pg.ts',
      settings: {
        url,
        accounts,
        clients: Math.min(more.clients, inFlight),
        pipeline: more.pipeline,
      },
      middlePid: more.middlePid,
    });
  const throughSidecar =
    (name: string, transport: 'session' | 'unary', to = sidecar) =>
    (inFlight: number): Subject => ({
      name,
      inFlight,
      script: 'query-holdfast.ts',
      settings: { address: to.address, accounts, transport },
      middlePid: to.pid,
    });
  const subjects = [
    throughPg('pgbouncer', pgbouncer.url, { clients: 64, pipeline: 0, middlePid: pgbouncer.pid }),
    throughPg('pgbouncer-pipelining', pgbouncer.url, {
      clients: connections,
      pipeline: 1,
      middlePid: pgbouncer.pid,
    }),
    throughPg('direct-pg', postgres.url, { clients: connections, pipeline: 0 }),
    throughPg('direct-pg-pipelining', postgres.url, { clients: connections, pipeline: 1 }),
    throughSidecar('session', 'session'),
    throughSidecar('session-full-policy', 'session', withPolicy),
    throughSidecar('unary', 'unary'),
  ];
  const bareGrpc: Subject = {
    name: 'grpc-echo',
    inFlight: 1,
    script: 'grpc-echo.ts',
    settings: { address: echo.address },
    middlePid: echo.pid,
  };
  return {
    name: 'query',
    cases: [
      { name: 'point query, 64 in flight', subjects: subjects.map((make) => make(64)) },
      {
        name: 'point query, 1 in flight',
        // No query, but the floor under one: a session cannot be faster than this and `direct-pg` together.
        subjects: [...subjects.map((make) => make(1)), bareGrpc],
      },
    ],
    conditions: {
      postgres: await versionOf(postgres.url),
      pgbouncer: pgbouncer.version,
      serverConnections: String(connections),
      query: 'SELECT id, owner, balance FROM accounts WHERE id = $1, random id of 100,000',
    },
    stop: async () => {
      await echo.stop();
      await sidecar.stop();
      await withPolicy.stop();
      await pgbouncer.stop();
      await postgres.stop();
    },
  };
}

async function fill(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    'create table accounts (id int primary key, owner text not null, balance bigint not null)',
  );
  await client.query(
    `insert into accounts select i, 'owner ' || i, i * 7 from generate_series(1, ${accounts}) i`,
  );
  await client.query('vacuum analyze accounts');
  await client.end();
}

async function versionOf(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ server_version: string }>('show server_version');
  await client.end();
  return rows[0]?.server_version ?? '';
}
