import { startRedis } from '../scripts/servers/redis.ts';
import { startPostgres } from '../scripts/servers/postgres.ts';
import type { Bench, Subject } from './rounds.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';

const keys = 10_000;

/** GET of a small value, directly and through the sidecar. */
export async function redisBench(): Promise<Bench> {
  const redis = await startRedis({});
  const postgres = await startPostgres({});
  const sidecar = await startSidecarProcess({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
  const direct =
    (name: string, autoPipelining: number) =>
    (inFlight: number): Subject => ({
      name,
      inFlight,
      script: 'redis-direct.ts',
      settings: { url: redis.url, keys, autoPipelining },
      middlePid: undefined,
    });
  const through =
    (transport: 'session' | 'unary') =>
    (inFlight: number): Subject => ({
      name: transport,
      inFlight,
      script: 'redis-holdfast.ts',
      settings: { address: sidecar.address, keys, transport },
      middlePid: sidecar.pid,
    });
  const subjects = [
    direct('direct-ioredis', 1),
    direct('direct-ioredis-plain', 0),
    through('session'),
    through('unary'),
  ];
  return {
    name: 'redis',
    cases: [64, 1].map((inFlight) => ({
      name: `GET, ${inFlight} in flight`,
      subjects: subjects.map((make) => make(inFlight)),
    })),
    conditions: { work: 'GET of a 100-byte value, random key of 10,000' },
    stop: async () => {
      await sidecar.stop();
      await redis.stop();
      await postgres.stop();
    },
  };
}
