import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import { startRedis, type RedisServer } from '../scripts/servers/redis.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { inspectPolicies } from './policies.test-kit.ts';
import { startSidecar, type TestSidecar } from './sidecar.test-kit.ts';

let server: TestDatabase;
let redisServer: RedisServer;
let sidecar: TestSidecar;
let holdfast: Holdfast;
beforeAll(async () => {
  server = await testDatabase();
  redisServer = await startRedis();
});
afterAll(async () => {
  await server.drop();
  await redisServer.stop();
});
beforeEach(async () => {
  sidecar = await startSidecar({
    databaseUrl: server.url,
    redisUrl: redisServer.url,
    postgres: { pool: { min: 1, max: 4 } },
  });
  holdfast = connect({ address: sidecar.address });
});
afterEach(async () => {
  await holdfast.close();
  await sidecar.stop();
});

const inspect = () => inspectPolicies(sidecar.address);
const version = async (): Promise<number> => Number((await inspect()).version);
const metric = async (line: RegExp): Promise<string | undefined> => {
  const text = await (await fetch(`http://127.0.0.1:${sidecar.app.httpPort}/metrics`)).text();
  return text.split('\n').find((each) => line.test(each));
};
const applied = (number: number) =>
  expect.poll(version, { interval: 10, timeout: 5_000 }).toBe(number);

test('a policy is in force within 250 ms of its being written', async () => {
  const took: number[] = [];
  for (let swap = 1; swap <= 5; swap += 1) {
    const writtenAtMs = performance.now();
    sidecar.swap({ postgres: { pool: { min: 1, max: 4 + swap } } });
    await applied(swap + 1);
    took.push(performance.now() - writtenAtMs);
    expect(holdfastPool().limit).toBe(4 + swap);
  }
  // The best of five: what else this machine does is not the sidecar's doing.
  expect(Math.min(...took)).toBeLessThan(250);
});

const holdfastPool = () => sidecar.app.databases.named('default').pool;

describe('what is wrong changes nothing, and is told with file, line and field', () => {
  test.each([
    [
      'an unknown field',
      { targets: [{ kind: 'Postgres', name: 'default', breakers: {} }] },
      'breakers is no known field; is breaker meant?',
    ],
    [
      'a broken rule',
      { postgres: { pool: { min: 9, max: 3 } } },
      'spec.postgres[0].pool.min must be at most max (3)',
    ],
  ])('%s', async (_what, policy, fault) => {
    sidecar.swap(policy);
    await expect.poll(async () => (await inspect()).faults.length, { interval: 20 }).toBe(1);
    const { faults, version: stays } = await inspect();
    expect(faults[0]).toMatch(/^\S*policy\.yaml:\d+:\d+: spec\./);
    expect(faults[0]).toContain(fault);
    expect(stays).toBe('1');
    expect(holdfastPool().limit).toBe(4);
    expect(await metric(/^holdfast_policy_rejected /)).toBe('holdfast_policy_rejected 1');
    expect((await holdfast.database().query('select 1 as n')).rows).toEqual([{ n: 1 }]);

    sidecar.swap({ postgres: { pool: { min: 1, max: 5 } } });
    await applied(2);
    expect((await inspect()).faults).toEqual([]);
    expect(await metric(/^holdfast_policy_rejected /)).toBe('holdfast_policy_rejected 0');
  });

  test('a target without its pool', async () => {
    sidecar.swap({ targets: [{ kind: 'Postgres', name: 'orders', timeout: {} }] });
    await expect
      .poll(async () => (await inspect()).faults, { interval: 20 })
      .toEqual([
        expect.stringContaining(
          'spec.targets[0].name: no Postgres pool is called "orders"; there is "default"',
        ),
      ]);
  });

  test('a file that is written in pieces is read when it is whole', async () => {
    const path = join(sidecar.folder, 'policy.yaml');
    for (let piece = 0; piece < 30; piece += 1) {
      writeFileSync(
        path,
        'apiVersion: resilience.holdfast.dev/v1alpha1\nkind: Res'.slice(0, 10 + piece),
      );
      await sleep(15);
    }
    sidecar.swap({ postgres: { pool: { min: 1, max: 6 } } });
    await applied(2);
    expect(await metric(/^holdfast_policy_rejections_total /)).toBe(
      'holdfast_policy_rejections_total 0',
    );
  });
});

describe('pools', () => {
  test('come, and serve at once', async () => {
    sidecar.swap({ morePostgres: [{ name: 'reports', pool: { max: 2 } }] });
    await applied(2);
    expect((await holdfast.database('reports').query('select 2 as n')).rows).toEqual([{ n: 2 }]);
  });

  test('go, and what runs on them ends as it began', async () => {
    sidecar.swap({ morePostgres: [{ name: 'reports', pool: { max: 2 } }] });
    await applied(2);
    const reports = holdfast.database('reports');
    const slow = reports.query('select pg_sleep(1), 3 as n');
    const transaction = reports.transaction(async (tx) => {
      await tx.query('select 1');
      await sleep(1_000);
      return (await tx.query('select 4 as n')).rows;
    });
    await sleep(200);
    sidecar.swap({});
    await applied(3);
    await expect(reports.query('select 1')).rejects.toMatchObject({ reason: 'UNKNOWN_POOL' });
    expect((await slow).rows[0]).toMatchObject({ n: 3 });
    expect(await transaction).toEqual([{ n: 4 }]);
  });

  test('a Redis whose settings change keeps what is under way', async () => {
    const redis = holdfast.redis();
    const popped = redis.command('BLPOP', 'swapped', '5');
    await sleep(100);
    sidecar.swap({ redis: { connections: 4, commandTimeoutMs: 1_500 } });
    await applied(2);
    await redis.command('RPUSH', 'swapped', 'x');
    expect(String(await popped)).toContain('x');
    await expect.poll(() => metric(/^holdfast_redis_connections_ready/)).toContain(' 4');
  });
});

test('a policy swapped forty times under load: no call is lost, no limit exceeded', async () => {
  const limits = [3, 6];
  const targets = (max: number) => [
    {
      kind: 'Postgres',
      name: 'default',
      timeout: { totalMs: 20_000 },
      retry: {},
      breaker: {},
      concurrency: { max, queue: 100_000, queueTimeoutMs: 20_000 },
    },
  ];
  const load = { running: true };
  const failures: unknown[] = [];
  let calls = 0;
  const lane = async (nth: number): Promise<void> => {
    const db = holdfast.database();
    while (load.running) {
      const work =
        nth % 4 === 0
          ? db.transaction((tx) => tx.query('select 1'))
          : db.query('select $1::int as n', [nth]);
      await work.then(
        () => (calls += 1),
        (error: unknown) => failures.push(error),
      );
    }
  };
  const lanes = Array.from({ length: 24 }, (_, nth) => lane(nth));
  let most = 0;
  for (let swap = 1; swap <= 40; swap += 1) {
    sidecar.swap({ targets: targets(limits[swap % 2] as number) });
    await applied(swap + 1);
    const [target] = (await inspect()).targets;
    // Calls of before the first limit run to their end.
    if (swap > 3) most = Math.max(most, target?.inFlight ?? 0);
  }
  load.running = false;
  await Promise.all(lanes);
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(500);
  expect(most).toBeLessThanOrEqual(6);
  const [target] = (await inspect()).targets.filter(({ kind }) => kind === 'Postgres');
  expect(target).toMatchObject({ inFlight: 0, waiting: 0 });
});
