import { afterAll, beforeAll } from 'vitest';
import { connect, type ConnectOptions, type Holdfast } from '../../clients/typescript/index.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';

export interface TwoSidecars {
  /** Settings of a sidecar process with the same servers. */
  readonly env: Readonly<Record<string, string>>;
  readonly sidecars: readonly TestSidecar[];
  /** A client of one of them, closed at the end. */
  client(sidecar: 0 | 1, options?: Partial<ConnectOptions>): Holdfast;
  /** A name that no other test has. */
  newName(): string;
}

let names = 0;

/** Two sidecars with one authority, for the tests of a file or a `describe`. */
export function twoSidecars(
  authority: 'Redis' | 'Postgres',
  ttlMs: number,
  pool: object = {},
): TwoSidecars {
  let database: TestDatabase;
  let redis: RedisServer | undefined;
  let sidecars: TestSidecar[] = [];
  const opened: Holdfast[] = [];
  beforeAll(async () => {
    database = await testDatabase();
    redis = authority === 'Redis' ? await startRedis() : undefined;
    sidecars = await Promise.all(
      [0, 1].map(() =>
        startSidecar({
          databaseUrl: database.url,
          ...(redis === undefined ? {} : { redisUrl: redis.url }),
          postgres: { pool },
          locks: { authority, ttlMs, maxHoldMs: 60_000, fenceWaitMs: 100 },
        }),
      ),
    );
    // A Redis that is new to locks grants none for a while.
    const holdfast = connect({ address: sidecars[0]?.address ?? '' });
    await (await holdfast.locks().acquire('settled')).release();
    await holdfast.close();
  });
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close({ graceMs: 100 })));
    await Promise.all(sidecars.map((each) => each.stop(500)));
    await redis?.stop();
    await database.drop();
  });
  return {
    get env() {
      return { DATABASE_URL: database.url, REDIS_URL: redis?.url ?? 'off' };
    },
    get sidecars() {
      return sidecars;
    },
    client: (sidecar, options = {}) => {
      const made = connect({
        address: sidecars[sidecar]?.address ?? '',
        deadlineMs: 30_000,
        ...options,
      });
      opened.push(made);
      return made;
    },
    newName: () => `two ${(names += 1)}`,
  };
}
