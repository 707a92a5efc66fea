import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from './redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface SentinelServers {
  /** `redis+sentinel://127.0.0.1:port,…/mymaster` */
  readonly url: string;
  /** The first one is the master at first, the second its replica. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The server that the Sentinels call master just now. */
  master(): Promise<RedisServer>;
  /** Waits until another one than this is master, for the Sentinels and for itself. */
  failedOver(from: RedisServer): Promise<RedisServer>;
  stop(): Promise<void>;
}

const downAfterMs = 500;
const startTimeoutMs = 20_000;
/** The most that is written to a Sentinel's file by itself is its state. */
const sentinelConfig = (masterPort: number): string => `
sentinel monitor mymaster 127.0.0.1 ${masterPort} 2
sentinel down-after-milliseconds mymaster ${downAfterMs}
sentinel failover-timeout mymaster 4000
sentinel parallel-syncs mymaster 1
`;

/** Starts a master with a replica, and three Sentinels that watch them, on 127.0.0.1; resolves when they know each other. */
export async function startSentinel(): Promise<SentinelServers> {
  await using started = new AsyncDisposableStack();
  const start = async (options: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
    const server = await startRedis(options);
    started.defer(() => server.stop());
    return server;
  };
  const master = await start({ settings: { 'repl-diskless-sync-delay': '0' } });
  const settings = { replicaof: `127.0.0.1 ${master.port}`, 'repl-diskless-sync-delay': '0' };
  const replica = await start({ settings });
  const servers = [master, replica];
  const sentinels: RedisServer[] = [];
  for (let number = 0; number < 3; number += 1) {
    const dataDir = temporaryFolder('sentinel');
    started.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    const sentinelFile = join(dataDir, 'sentinel.conf');
    writeFileSync(sentinelFile, sentinelConfig(master.port), { mode: 0o600 });
    sentinels.push(await start({ dataDir, sentinelFile }));
  }
  const asked = new Redis(sentinels[0]?.url ?? '', { maxRetriesPerRequest: 1 });
  started.defer(() => asked.disconnect());
  const known = async (): Promise<boolean> => {
    const [fields = []] = (await asked.call('SENTINEL', 'MASTERS')) as string[][];
    const field = (name: string): string | undefined => fields[fields.indexOf(name) + 1];
    return field('num-slaves') === '1' && field('num-other-sentinels') === '2';
  };
  await until(known);
  const current = async (): Promise<RedisServer> => {
    const [, port] = (await asked.call(
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      'mymaster',
    )) as string[];
    const found = servers.find((server) => String(server.port) === port);
    if (found === undefined) throw new Error(`no server has port ${port}`);
    return found;
  };
  const running = started.move();
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`,
    servers,
    sentinels,
    master: current,
    failedOver: async (from) => {
      let now = from;
      await until(async () => {
        now = await current();
        return now !== from && (await isMaster(now));
      });
      return now;
    },
    stop: () => running.disposeAsync(),
  };
}

async function isMaster({ url }: RedisServer): Promise<boolean> {
  const redis = new Redis(url);
  try {
    return (await redis.info('replication')).includes('role:master');
  } finally {
    redis.disconnect();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < startTimeoutMs; waitedMs += 50) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('the Sentinels did not come to an agreement');
}
