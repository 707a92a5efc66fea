import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import {
  type ControlledSidecar,
  mountSecret,
  podFolder,
  startControlledSidecar,
} from './controlled-sidecar.test-kit.ts';
import { TestController } from './control/discovery-server.test-kit.ts';

let server: TestDatabase;
let folder: ReturnType<typeof podFolder>;
let controller: TestController;
let sidecar: ControlledSidecar;
let holdfast: Holdfast;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());
beforeEach(async () => {
  folder = podFolder();
  controller = await TestController.start();
  sidecar = await startControlledSidecar(folder.path, controller.address);
  holdfast = connect({ address: sidecar.address });
});
afterEach(async () => {
  await holdfast.close();
  await sidecar.stop();
  controller.stop();
  folder[Symbol.dispose]();
});

const soon = { interval: 20, timeout: 20_000 };
const pool = { name: 'default', secretRef: { name: 'orders-db' }, pool: { min: 1, max: 6 } };
const mount = (): void => mountSecret(folder.path, 'orders-db', 'url', server.url);
const acknowledged = (version: string) =>
  expect.poll(() => controller.reports.at(-1)?.version, { ...soon, interval: 2 }).toBe(version);

test('a secret that is mounted later opens its pool, and is told', async () => {
  const version = controller.push([{ postgres: [pool] }]);
  await acknowledged(version);
  const db = holdfast.database();
  await expect(db.query('select 1')).rejects.toMatchObject({ reason: 'SECRET_NOT_MOUNTED' });
  expect(controller.reports[0]?.restartRequired).toHaveLength(1);
  mount();
  const result = async () => (await db.query('select 1 as n').catch(() => undefined))?.rows;
  await expect.poll(result, soon).toEqual([{ n: 1 }]);
  await expect.poll(() => controller.reports, soon).toHaveLength(2);
  expect(controller.reports[1]).toEqual({ version, faults: [], restartRequired: [] });
});

test('a secret with a fault in it refuses the policy by its field, until it is mended', async () => {
  mountSecret(folder.path, 'orders-db', 'url', 'mysql://app:s3cret@nowhere/orders');
  const version = controller.push([{ postgres: [pool] }]);
  await acknowledged(version);
  const [fault] = controller.reports[0]?.faults ?? [];
  expect(fault).toMatchObject({ policy: 'policy-0', field: 'spec.postgres[0].secretRef' });
  expect(fault?.message).toContain('/secrets/orders-db/url');
  expect(fault?.message).not.toContain('s3cret');
  mount();
  await expect.poll(() => controller.reports, soon).toHaveLength(2);
  expect(controller.reports[1]).toEqual({ version, faults: [], restartRequired: [] });
  expect((await holdfast.database().query('select 1 as n')).rows).toEqual([{ n: 1 }]);

  // A pool that works does not go because its secret does.
  mountSecret(folder.path, 'orders-db', 'url', 'half');
  await expect.poll(async () => (await sidecar.inspect()).faults.length, soon).toBe(1);
  expect((await holdfast.database().query('select 2 as n')).rows).toEqual([{ n: 2 }]);
});

test('locks of a policy that comes after the start are granted', async () => {
  mount();
  await acknowledged(controller.push([{ postgres: [pool], locks: { authority: 'Postgres' } }]));
  await using lock = await holdfast.locks().acquire('orders');
  expect(lock.signal.aborted).toBe(false);
  expect((await sidecar.inspect()).restartRequired).toEqual([]);
});

test('fifty snapshots under load: each in force within 250 ms, no call fails, no limit is exceeded', async () => {
  mount();
  const spec = (max: number) => ({
    postgres: [pool],
    targets: [
      {
        kind: 'Postgres',
        name: 'default',
        timeout: { totalMs: 20_000 },
        breaker: {},
        concurrency: { max, queue: 100_000, queueTimeoutMs: 20_000 },
      },
    ],
  });
  await acknowledged(controller.push([spec(3)]));
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
  const lanes = Array.from({ length: 12 }, (_, nth) => lane(nth));
  const took: number[] = [];
  let most = 0;
  for (let swap = 1; swap <= 50; swap += 1) {
    const sentAtMs = performance.now();
    await acknowledged(controller.push([spec(swap % 2 === 0 ? 3 : 6)]));
    took.push(performance.now() - sentAtMs);
    const [target] = (await sidecar.inspect()).targets;
    expect(target?.limit).toBe(swap % 2 === 0 ? 3 : 6);
    if (swap > 2) most = Math.max(most, target?.inFlight ?? 0);
  }
  load.running = false;
  await Promise.all(lanes);
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(100);
  expect(most).toBeLessThanOrEqual(6);
  expect(controller.reports).toHaveLength(51);
  // What else this machine does is not the sidecar's doing.
  expect(took.toSorted((one, other) => one - other)[25]).toBeLessThan(250);
});
