import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, HoldfastError } from '../clients/typescript/index.ts';
import { type SidecarProcess, startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { connectTo } from '../scripts/servers/template-database.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';

/** SIGTERM to sidecars that work, each in a process of its own. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await ask('create table done (id uuid primary key, kind text)');
});
afterAll(() => database.drop());

const ask = async <Row extends Record<string, unknown>>(sql: string): Promise<Row[]> =>
  (await connectTo(database.url, (client) => client.query<Row>(sql))).rows;

const start = (graceMs: number): Promise<SidecarProcess> =>
  startSidecarProcess({
    DATABASE_URL: database.url,
    REDIS_URL: 'off',
    HOLDFAST_GRACE_MS: `${graceMs}`,
  });

const backends = () =>
  ask(`select state, query from pg_stat_activity
        where datname = current_database() and application_name = 'holdfast'`);

interface Load {
  readonly accepted: Set<string>;
  /** By reason. */
  readonly refused: Map<string, string[]>;
}

/** Inserts one row with each call or transaction until `isOver`; keeps what it was told of each. */
async function write(
  sidecar: SidecarProcess,
  transport: 'session' | 'unary',
  load: Load,
  isOver: () => boolean,
): Promise<void> {
  const holdfast = connect({ address: sidecar.address, transport, deadlineMs: 4_000 });
  const db = holdfast.database();
  const insert = 'insert into done values ($1, $2)';
  const worker = async (work: (id: string) => Promise<unknown>): Promise<void> => {
    while (!isOver()) {
      const id = randomUUID();
      try {
        await work(id);
        load.accepted.add(id);
      } catch (error) {
        const reason = error instanceof HoldfastError ? error.reason : String(error);
        load.refused.set(reason, [...(load.refused.get(reason) ?? []), id]);
        await sleep(5);
      }
    }
  };
  const query = (id: string) => db.query(insert, [id, transport]);
  const transaction = (id: string) =>
    db.transaction(async (tx) => {
      await tx.query(insert, [id, 'transaction']);
      await sleep(10);
      await tx.query('select 1');
    });
  await Promise.all([
    ...Array.from({ length: 8 }, () => worker(query)),
    ...Array.from({ length: 2 }, () => worker(transaction)),
  ]);
  await holdfast.close();
}

test('row "SIGTERM": a rolling one under load loses no call that was accepted, and leaves nothing on the server', async () => {
  const load: Load = { accepted: new Set(), refused: new Map() };
  for (let round = 0; round < 2; round += 1) {
    const sidecar = await start(5_000);
    let over = false;
    const writing = (['session', 'unary'] as const).map((transport) =>
      write(sidecar, transport, load, () => over),
    );
    const before = load.accepted.size;
    while (load.accepted.size < before + 200) await sleep(10);
    sidecar.process.kill('SIGTERM');
    expect(await sidecar.exited).toBe(0);
    over = true;
    await Promise.all(writing);
    await expect.poll(backends, { timeout: 5_000 }).toEqual([]);
    await sidecar.stop();
  }
  const done = new Set((await ask<{ id: string }>('select id from done')).map(({ id }) => id));
  expect([...load.accepted].filter((id) => !done.has(id))).toEqual([]);
  // Whoever was refused was told so before anything ran.
  const told = ['DRAINING', 'SIDECAR_UNAVAILABLE', 'DEADLINE_EXCEEDED'];
  expect([...load.refused.keys()].filter((reason) => !told.includes(reason))).toEqual([]);
  expect([...load.refused.values()].flat().filter((id) => done.has(id))).toEqual([]);
});

// A busy machine may be late to notice the exit.
test(
  'what is cut at the end of the grace period does not go on running on the server',
  { retry: 2 },
  async () => {
    const sidecar = await start(1_000);
    const holdfast = connect({ address: sidecar.address });
    const endless = holdfast
      .database()
      .query('select pg_sleep(60)')
      .catch(() => {});
    while ((await backends()).every(({ state }) => state !== 'active')) await sleep(20);
    const fromMs = performance.now();
    sidecar.process.kill('SIGTERM');
    expect(await sidecar.exited).toBe(0);
    expect(performance.now() - fromMs).toBeLessThan(1_100);
    await sleep(50);
    await expect.poll(backends, { timeout: 5_000 }).toEqual([]);
    await endless;
    await holdfast.close();
    await sidecar.stop();
  },
);
