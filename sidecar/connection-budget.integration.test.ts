import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { TestBooks, testRole, type TestRole } from './budgeted-sidecar.test-kit.ts';
import { TestController } from './control/discovery-server.test-kit.ts';
import {
  type ControlledSidecar,
  mountSecret,
  podFolder,
  startControlledSidecar,
} from './controlled-sidecar.test-kit.ts';

let server: TestDatabase;
let role: TestRole;
let folder: ReturnType<typeof podFolder>;
let controller: TestController;
let books: TestBooks;
let sidecar: ControlledSidecar;
let holdfast: Holdfast;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());
beforeEach(async () => {
  role = await testRole(server.url);
  folder = podFolder();
  mountSecret(folder.path, 'orders-db', 'url', role.url);
  controller = await TestController.start();
  books = new TestBooks(controller, 3);
});
afterEach(async () => {
  await stop();
  controller.stop();
  folder[Symbol.dispose]();
  await role[Symbol.asyncDispose]();
});

const soon = { interval: 20, timeout: 20_000 };
const pool = (limits: object = {}, name = 'default') => ({
  name,
  secretRef: { name: 'orders-db' },
  budgetRef: { name: 'orders' },
  pool: { max: 20, acquireTimeoutMs: 20_000, ...limits },
});

async function start(...pools: object[]): Promise<void> {
  if (pools.length > 0) controller.push([{ postgres: pools }]);
  sidecar = await startControlledSidecar(folder.path, controller.address);
  holdfast = connect({ address: sidecar.address });
  await expect.poll(async () => (await sidecar.inspect()).source, soon).toBe('Controller');
}
async function stop(): Promise<void> {
  await holdfast.close();
  await sidecar.stop();
}

test('never has more sessions than its share, while 50 callers want more and none fails', async () => {
  await start(pool());
  const callers = Array.from({ length: 50 }, async (_, nth) => {
    const db = holdfast.database();
    for (let turn = 0; turn < 4; turn += 1) {
      await (nth % 2 === 0
        ? db.transaction((tx) => tx.query('select pg_sleep(0.02)'))
        : db.query('select pg_sleep(0.02)'));
    }
  });
  await Promise.all(callers);
  expect(role.most()).toBe(3);
  const { demand, share, ports, address } = books.last ?? {};
  expect({ demand, share, address }).toMatchObject({ share: 3, address: '127.0.0.1' });
  expect(ports).toHaveLength(3);
  expect(Math.max(...controller.heartbeats.map((each) => each.demand))).toBe(20);
  expect(await sidecar.metric(/^holdfast_connection_budget_share/)).toMatch(/ 3$/);
});
