import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import { surroundings } from './surroundings.ts';

/** Real servers of this machine, which pods reach. */
export interface HostServers {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** As pods reach them. */
  readonly postgresUrl: string;
  readonly redisUrl: string;
  stop(): Promise<void>;
}

/** Starts both; `settings` are more lines of postgresql.conf. */
export async function startHostServers(
  settings: Readonly<Record<string, string>> = {},
): Promise<HostServers> {
  const { host } = surroundings();
  const [postgres, redis] = await Promise.all([
    startPostgres({ settings: { ...settings, listen_addresses: `127.0.0.1,${host}` } }),
    startRedis({ settings: { bind: host, 'protected-mode': 'no' } }),
  ]);
  // Its password is its own: whoever reaches it still has to know that.
  const rules = join(postgres.dataDir, 'cluster/pg_hba.conf');
  appendFileSync(rules, 'host all all all scram-sha-256\n');
  process.kill(postgres.pid, 'SIGHUP');
  return {
    postgres,
    redis,
    postgresUrl: postgres.url.replace('127.0.0.1', host),
    redisUrl: redis.url.replace('127.0.0.1', host),
    stop: async () => {
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}
