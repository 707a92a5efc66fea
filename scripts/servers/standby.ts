import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * A streaming standby of a server, on a copy of its data; the server is restarted for the copy. `port` is where the standby finds it, a proxy's perhaps.
 * `select pg_promote()` makes it a primary.
 */
export async function startStandby(
  primary: PostgresServer,
  port: number = primary.port,
): Promise<PostgresServer> {
  const dataDir = temporaryFolder('standby');
  await primary.shutDown('fast');
  execFileSync('cp', ['-a', `${primary.dataDir}/.`, dataDir]);
  // As whoever owns the cluster: PostgreSQL reads no file of root's.
  execFileSync('cp', [
    '-a',
    join(dataDir, 'cluster/PG_VERSION'),
    join(dataDir, 'cluster/standby.signal'),
  ]);
  await primary.start();
  const { username, password } = new URL(primary.url);
  return startPostgres({
    dataDir,
    settings: {
      fsync: 'off',
      max_connections: '300', // not fewer than the primary has
      primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password}`,
      wal_retrieve_retry_interval: '100ms',
    },
  });
}
