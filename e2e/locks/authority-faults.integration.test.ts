import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../clients/typescript/index.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import { startSentinel } from '../../scripts/servers/redis-sentinel.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { migrate } from '../../sidecar/postgres/migrate.ts';
import { urlPostgres } from '../../sidecar/settings/targets.ts';
import { startSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { randomFrom } from '../soak/random.ts';
import { counterSchema, type Increment, newCounterSql } from './counter-work.ts';
import { counterNames, crowd } from './crowd.ts';
import { everybody, type LockEvent, watchPauses } from './history.ts';
import { LockClient, type Wish } from './lock-client.ts';
import { type Verdict, verdictOf } from './verdict.ts';
import { hammer } from './wishes.ts';

// Whoever grants locks is restarted, crashes, forgets, or is replaced by somebody who knows less, while many clients hold locks and wait for them.

const ttlMs = 400;
const locks = 2;
const longWish: Wish = {
  names: ['held'],
  mode: 'exclusive',
  permits: 1,
  ttlMs,
  waitMs: ttlMs * 8,
  owner: '',
  fence: '',
  holdMs: ttlMs * 2,
};

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { synchronous_commit: 'on' } });
  const { connection } = urlPostgres(postgres.url, { secretsDir: '', readFile: () => '' });
  await migrate(connection);
  await query(counterSchema);
});
afterAll(() => postgres.stop());

async function query(
  sql: string,
  params: readonly string[] = [],
): Promise<pg.QueryResult<{ n: string }>> {
  const observer = new pg.Client(postgres.url);
  observer.on('error', () => {});
  await observer.connect();
  try {
    return await observer.query<{ n: string }>(sql, [...params]);
  } finally {
    await observer.end();
  }
}

/** Two sidecars with six clients each, while `breaks` goes on. */
async function run(
  authority: 'Redis' | 'Postgres',
  redisUrl: string | undefined,
  breaks: (keep: () => Promise<void>) => Promise<void>,
): Promise<Verdict> {
  await query('truncate counters, shares');
  for (const name of counterNames(locks)) await query(newCounterSql, [name]);
  const started = await Promise.all(
    [0, 1].map(() =>
      startSidecar({
        databaseUrl: postgres.url,
        ...(redisUrl === undefined ? {} : { redisUrl }),
        locks: { authority, ttlMs, maxHoldMs: 5_000, fenceWaitMs: 100 },
      }),
    ),
  );
  const events: LockEvent[] = [];
  const told: Increment[] = [];
  const record = (event: LockEvent): void => void events.push(event);
  const stopWatch = watchPauses(everybody, record);
  const seed = Math.floor(Math.random() * 2 ** 30);
  console.log(`crowd, seed ${seed}`);
  const state = { goesOn: true };
  const crowds = started.map(({ address }, at) =>
    crowd(
      {
        client: `c${at}`,
        sidecar: `s${at}`,
        address,
        clients: 6,
        locks,
        ttlMs,
        random: randomFrom(seed + at),
        record,
        tell: (increment) => told.push(increment),
      },
      () => state.goesOn,
    ),
  );
  // Somebody holds this one when it breaks, and others wait.
  const holders = started.flatMap(({ address }, at) =>
    [0, 1].map(async (nth) => {
      const place = { client: `h${at}${nth}`, sidecar: `s${at}`, address };
      const client = new LockClient({ ...place, record });
      await hammer(
        client,
        () => longWish,
        () => state.goesOn,
      );
      await client.close();
    }),
  );
  await sleep(ttlMs + 800);
  await expect.poll(() => grantsOf(events), { timeout: 30_000 }).toBeGreaterThan(10);
  const keeper = new LockClient({
    client: 'keeper',
    sidecar: 's0',
    address: started[0]?.address ?? '',
    record,
  });
  // Somebody holds a lock of his own for longer than any time to live, whatever happens.
  const keep = (): Promise<void> =>
    keeper.take({ ...longWish, names: ['kept'], holdMs: ttlMs * 8 });
  await breaks(keep);
  const since = grantsOf(events);
  // All goes on: in the time that locks settle, and then some.
  await expect.poll(() => grantsOf(events), { timeout: 45_000 }).toBeGreaterThan(since + 20);
  state.goesOn = false;
  await Promise.all([...crowds, ...holders]);
  await keeper.close();
  stopWatch();
  const holdfast = connect({ address: started[0]?.address ?? '' });
  const verdict = await verdictOf(events, told, counted, holdfast.database());
  await holdfast.close();
  await Promise.all(started.map((each) => each.stop(1_000)));
  console.log(verdict);
  return verdict;
}

async function counted(): Promise<number> {
  const { rows } = await query(
    'select (select sum(n) from counters) + (select coalesce(sum(n), 0) from shares) as n',
  );
  return Number(rows[0]?.n);
}

const grantsOf = (events: readonly LockEvent[]): number =>
  events.filter(({ what }) => what === 'granted').length;

async function withRedis(
  saves: boolean,
  work: (redis: RedisServer) => Promise<Verdict>,
): Promise<Verdict> {
  const dataDir = temporaryFolder('locks-redis');
  const redis = await startRedis(saves ? { dataDir, settings: { appendfsync: 'always' } } : {});
  try {
    return await work(redis);
  } finally {
    await redis.stop();
  }
}

test.each([
  ['with its data', true],
  ['without its data', false],
])('Redis crashes and starts again, %s', async (_, saves) => {
  const verdict = await withRedis(saves, (redis) =>
    run('Redis', redis.url, async () => {
      for (let nth = 0; nth < 2; nth += 1) {
        await redis.restart('kill');
        await sleep(ttlMs * 2);
      }
    }),
  );
  expect(verdict.broken).toEqual([]);
});

test('Redis stops for longer than any time to live, and goes on', async () => {
  const verdict = await withRedis(false, (redis) =>
    run('Redis', redis.url, async (keep) => {
      const kept = keep();
      await sleep(ttlMs);
      redis.pause();
      await sleep(ttlMs * 3);
      redis.resume();
      await kept;
    }),
  );
  expect(verdict.broken).toEqual([]);
  expect(verdict.losses).toBeGreaterThan(0);
});

test('a failover to a replica that lost the last writes', async () => {
  const sentinel = await startSentinel();
  try {
    const verdict = await run('Redis', sentinel.url, async () => {
      const [master, replica] = sentinel.servers as [RedisServer, RedisServer];
      replica.pause();
      await sleep(250);
      await master.kill();
      replica.resume();
      await sentinel.failedOver(master);
    });
    expect(verdict.broken).toEqual([]);
  } finally {
    await sentinel.stop();
  }
});

test('PostgreSQL crashes and recovers: it grants locks, and keeps the counters', async () => {
  const verdict = await run('Postgres', undefined, async () => {
    for (const how of ['kill', 'immediate'] as const) {
      await postgres.restart(how);
      await sleep(ttlMs * 2);
    }
  });
  expect(verdict.broken).toEqual([]);
});
