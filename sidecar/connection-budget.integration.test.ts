import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { BudgetBed, budgetedPool } from './budgeted-sidecar.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const soon = { interval: 20, timeout: 20_000 };

test('never has more sessions than its share, while 50 callers want more and none fails', async () => {
  await using bed = await BudgetBed.open(server.url, 3);
  const { sidecar, holdfast } = await bed.start(budgetedPool());
  const db = holdfast.database();
  const callers = Array.from({ length: 50 }, async (_, nth) => {
    for (let turn = 0; turn < 4; turn += 1) {
      await (nth % 2 === 0
        ? db.transaction((tx) => tx.query('select pg_sleep(0.02)'))
        : db.query('select pg_sleep(0.02)'));
    }
  });
  await Promise.all(callers);
  expect(bed.role.most()).toBe(3);
  const { heartbeats } = bed.controller;
  expect(Math.max(...heartbeats.map(({ demand }) => demand))).toBe(20);
  await expect.poll(() => bed.books.last?.address, soon).toBe('127.0.0.1');
  expect(bed.books.last?.share).toBe(3);
  expect(await sidecar.metric(/^holdfast_connection_budget_share/)).toMatch(/ 3$/);
  await bed.stop();
  expect(heartbeats.at(-1)).toMatchObject({ leaving: true, ports: [], demand: 0 });
});

test('a share that shrinks kills no work: what becomes free is closed, down to it', async () => {
  await using bed = await BudgetBed.open(server.url, 6);
  const { holdfast } = await bed.start(budgetedPool());
  const db = holdfast.database();
  const work = Array.from({ length: 6 }, () =>
    db.transaction(async (tx) => {
      await tx.query('select pg_sleep(1.5)');
      return tx.query('select 1 as n');
    }),
  );
  await expect.poll(bed.role.sessions, soon).toHaveLength(6);
  bed.books.share = 2;
  expect(await Promise.all(work)).toHaveLength(6);
  await expect.poll(bed.role.sessions, soon).toHaveLength(2);
  await expect.poll(() => bed.books.last?.ports, soon).toHaveLength(2);
});

test('without the controller a share ends: what is idle goes first, work is cut with CONNECTION_BUDGET, the floor stays', async () => {
  await using bed = await BudgetBed.open(server.url, 5);
  bed.books.leaseMs = 2_000;
  const { sidecar, holdfast } = await bed.start(budgetedPool());
  const db = holdfast.database();
  await db.query('create table if not exists kept (id int)');
  const cut = Array.from({ length: 5 }, () =>
    db
      .transaction((tx) => tx.query('select pg_sleep(8)'))
      .then(
        () => 'done',
        ({ reason }: { reason: string }) => reason,
      ),
  );
  await expect.poll(bed.role.sessions, soon).toHaveLength(5);
  bed.books.share = undefined;
  const endedAtMs = performance.now();
  await expect.poll(bed.role.sessions, { ...soon, timeout: 5_000 }).toHaveLength(1);
  expect(performance.now() - endedAtMs).toBeLessThan(4_000);
  expect((await Promise.all(cut)).toSorted()).toEqual([
    ...Array.from({ length: 4 }, () => 'CONNECTION_BUDGET'),
    'done',
  ]);
  // Calls flow on the floor.
  bed.role.most();
  await Promise.all(Array.from({ length: 10 }, () => db.query('select 1')));
  expect(bed.role.most()).toBe(1);
  expect(await sidecar.metric(/^holdfast_connection_budget_cut_total/)).toMatch(/ 4$/);
});

test('a sidecar that starts without the controller has the floor that it had', async () => {
  await using bed = await BudgetBed.open(server.url, 4);
  bed.books.floor = 2;
  await bed.start(budgetedPool());
  await expect.poll(() => bed.books.last?.answered, soon).not.toBe('0');
  await bed.stop();
  bed.controller.stop();
  bed.role.most();
  const { holdfast } = await bed.start();
  const db = holdfast.database();
  await Promise.all(Array.from({ length: 10 }, () => db.query('select pg_sleep(0.05)')));
  expect(bed.role.most()).toBe(2);
});

test('one that was never granted anything says so, and opens nothing', async () => {
  await using bed = await BudgetBed.open(server.url, undefined);
  const { holdfast } = await bed.start(budgetedPool({ acquireTimeoutMs: 400 }));
  const refused = holdfast.database().query('select 1');
  await expect(refused).rejects.toMatchObject({ reason: 'CONNECTION_BUDGET' });
  await expect(refused).rejects.toThrow('has not given this sidecar a share');
  expect(bed.role.most()).toBe(0);
  expect(Math.max(...bed.controller.heartbeats.map(({ waiting }) => waiting))).toBe(1);
});

test('two pools share one session: none of them starves', async () => {
  await using bed = await BudgetBed.open(server.url, 1);
  const { holdfast } = await bed.start(budgetedPool(), budgetedPool({}, 'reports'));
  const load = { running: true };
  const busy = Array.from({ length: 4 }, async () => {
    while (load.running) await holdfast.database().query('select pg_sleep(0.02)');
  });
  await sleep(200);
  const other = holdfast.database('reports');
  expect((await other.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  load.running = false;
  await Promise.all(busy);
  expect(bed.role.most()).toBe(1);
  // What the first one holds and does not use is given at once.
  await other.query('select 1');
  const askedAtMs = performance.now();
  await holdfast.database().query('select 1');
  expect(performance.now() - askedAtMs).toBeLessThan(900);
  expect(bed.role.most()).toBe(1);
});
