import { startPostgres } from '../scripts/servers/postgres.ts';
import { startRedis } from '../scripts/servers/redis.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import type { Bench, Subject } from './rounds.ts';

/** Queries through sidecars whose Redis is well, stopped and gone, while others ask that Redis: it must not be in their way. */
export async function redisDownBench(): Promise<Bench> {
  const started = new AsyncDisposableStack();
  const postgres = await startPostgres({ settings: { fsync: 'off' } });
  started.defer(() => postgres.stop());
  const subject = async (name: string, state: 'well' | 'stopped' | 'gone'): Promise<Subject> => {
    const redis = await startRedis();
    started.defer(() => redis.stop());
    const sidecar = await startSidecarProcess({
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      HOLDFAST_LOG_LEVEL: 'fatal',
    });
    started.defer(() => sidecar.stop());
    if (state === 'stopped') {
      redis.pause();
      started.defer(() => redis.resume());
    } else if (state === 'gone') {
      await redis.kill();
    }
    return {
      name,
      inFlight: 16,
      script: 'query-beside-redis.ts',
      settings: { address: sidecar.address },
      middlePid: sidecar.pid,
    };
  };
  return {
    name: 'redis-down',
    cases: [
      {
        name: 'query, 16 in flight, beside 200 commands a second to Redis',
        subjects: [
          await subject('redis-well', 'well'),
          await subject('redis-stopped', 'stopped'),
          await subject('redis-gone', 'gone'),
        ],
      },
    ],
    conditions: { query: 'select $1::int' },
    stop: () => started.disposeAsync(),
  };
}
