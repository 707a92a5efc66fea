import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { connect } from '../clients/typescript/index.ts';
import { migrate } from '../sidecar/postgres/migrate.ts';
import { urlPostgres } from '../sidecar/settings/targets.ts';
import { startPostgres } from '../scripts/servers/postgres.ts';
import { startRedis } from '../scripts/servers/redis.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import type { Bench, Subject } from './rounds.ts';

const names = 100_000;
const contenders = 50;
/** So long a new Redis grants nothing. */
const ttlMs = 5_000;
/** Of whoever finds the lock held, where nobody wakes him. */
const pollMs = 1;

const policy = (authority: 'Redis' | 'Postgres'): string =>
  stringify({
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name: 'locks' },
    spec: { locks: { authority, ttlMs } },
  });

/** Lock and unlock: names at random, and one lock that everybody wants. */
export async function locksBench(): Promise<Bench> {
  const redis = await startRedis({});
  const postgres = await startPostgres({ settings: { fsync: 'off' } });
  const noFiles = { secretsDir: '', readFile: () => '' };
  await migrate(urlPostgres(postgres.url, noFiles).connection);
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
  const overRedis = await startSidecarProcess(env, { policy: policy('Redis') });
  const overPostgres = await startSidecarProcess(env, { policy: policy('Postgres') });
  await Promise.all([overRedis, overPostgres].map(({ address }) => untilGranted(address)));

  const cases = [
    { name: 'lock + unlock, 64 in flight', inFlight: 64, settings: { names } },
    { name: 'lock + unlock, 1 in flight', inFlight: 1, settings: { names } },
    { name: 'one lock, 50 clients', inFlight: contenders, settings: { names: 1 } },
  ];
  return {
    name: 'locks',
    cases: cases.map(({ name, inFlight, settings }) => ({
      name,
      subjects: [
        {
          name: 'direct-ioredis',
          inFlight,
          script: 'locks-direct.ts',
          settings: { ...settings, url: redis.url, ttlMs, pollMs },
          middlePid: undefined,
        },
        ...Object.entries({ redis: overRedis, postgres: overPostgres }).map(
          ([authority, { address, pid }]): Subject => ({
            name: `session-${authority}`,
            inFlight,
            script: 'locks-holdfast.ts',
            settings: { ...settings, address },
            middlePid: pid,
          }),
        ),
      ],
    })),
    conditions: {
      work: `a lock of ${names} names at random, released at once; ops/s are pairs`,
      contention: `one lock, each client with a connection of its own; ops/s are handovers, a latency is from the release to the next grant; direct: SET NX again every ${pollMs} ms`,
      fsync: 'off',
    },
    stop: async () => {
      await overRedis.stop();
      await overPostgres.stop();
      await redis.stop();
      await postgres.stop();
    },
  };
}

async function untilGranted(address: string): Promise<void> {
  await using holdfast = connect({ address });
  const locks = holdfast.locks();
  const endAt = performance.now() + 3 * ttlMs;
  for (;;) {
    try {
      return await (await locks.acquire('first')).release();
    } catch (error) {
      if (performance.now() > endAt) throw error;
      await sleep(100);
    }
  }
}
