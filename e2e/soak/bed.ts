import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import { type SidecarProcess, startSidecarProcess } from '../../scripts/servers/sidecar.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { urlPostgres } from '../../sidecar/settings/targets.ts';
import { migrate } from '../../sidecar/postgres/migrate.ts';

/** Real servers that keep what they confirmed, a sidecar in a process of its own, and proxies between them. */
export interface Bed {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly toPostgres: FaultProxy;
  readonly toRedis: FaultProxy;
  /** The same address, whichever process serves there. */
  readonly address: string;
  readonly sidecar: SidecarProcess;
  /** Starts another one where the last one served. */
  startSidecar(): Promise<void>;
  /** Past the proxies. */
  query<Row extends object>(sql: string): Promise<readonly Row[]>;
  stop(): Promise<void>;
}

export async function makeBed(): Promise<Bed> {
  const postgres = await startPostgres({ settings: { synchronous_commit: 'on' } });
  const redisFolder = temporaryFolder('soak-redis');
  const redis = await startRedis({ dataDir: redisFolder });
  const { connection } = urlPostgres(postgres.url, { secretsDir: '', readFile: () => '' });
  await migrate(connection);
  const toPostgres = await FaultProxy.to({ host: '127.0.0.1', port: postgres.port }, 'postgresql');
  const toRedis = await FaultProxy.to({ host: '127.0.0.1', port: redis.port }, 'redis');
  const folder = mkdtempSync(join(tmpdir(), 'hf-soak-'));
  const env = {
    DATABASE_URL: toPostgres.through(postgres.url),
    REDIS_URL: toRedis.through(redis.url),
    HOLDFAST_LOG_LEVEL: 'fatal',
    HOLDFAST_GRACE_MS: '5000',
  };
  const start = (): Promise<SidecarProcess> => startSidecarProcess(env, { folder, output: 'kept' });
  let sidecar = await start();

  const query = async <Row extends object>(sql: string): Promise<readonly Row[]> => {
    const client = new pg.Client(postgres.url);
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await query('create table ledger (id uuid not null)');
  await query('create table ledger_once (id uuid primary key)');

  return {
    postgres,
    redis,
    toPostgres,
    toRedis,
    address: sidecar.address,
    get sidecar() {
      return sidecar;
    },
    startSidecar: async () => {
      sidecar = await start();
    },
    query,
    stop: async () => {
      await sidecar.stop();
      await toPostgres[Symbol.asyncDispose]();
      await toRedis[Symbol.asyncDispose]();
      await redis.stop();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
      rmSync(redisFolder, { recursive: true, force: true });
    },
  };
}
