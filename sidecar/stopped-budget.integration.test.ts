import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { BudgetBed, budgetedPool } from './budgeted-sidecar.test-kit.ts';
import { certificate } from './redis/tls-certificate.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const soon = { interval: 20, timeout: 20_000 };

test('a sidecar that was stopped beyond its share wakes up with its floor: it opens nothing, and gives the rest up first', async () => {
  await using bed = await BudgetBed.open(server.url, 4);
  bed.books.leaseMs = 2_000;
  bed.controller.push([{ postgres: [budgetedPool()] }]);
  const { path } = bed.folder;
  const sidecar = await startSidecarProcess(
    {
      HOLDFAST_LOG_LEVEL: 'fatal',
      HOLDFAST_STATE_DIR: join(path, 'state'),
      HOLDFAST_SECRETS_DIR: join(path, 'secrets'),
      HOLDFAST_CONTROLLER: bed.controller.address,
      HOLDFAST_CONTROLLER_CA: certificate,
      HOLDFAST_CONTROLLER_NAME: 'localhost',
      HOLDFAST_CONTROLLER_TOKEN_FILE: join(path, 'token'),
    },
    { folder: path },
  );
  const holdfast = connect({ address: sidecar.address });
  try {
    const db = holdfast.database();
    const query = () => db.query('select pg_sleep(0.2)');
    const first = Array.from({ length: 8 }, () =>
      expect.poll(() => query().then(() => 'ok', String), soon).toBe('ok'),
    );
    await Promise.all(first);
    await expect.poll(bed.role.sessions, soon).toHaveLength(4);
    bed.books.share = undefined;
    process.kill(sidecar.pid, 'SIGSTOP');
    // These are the first that it hears when it wakes up, before any timer of its own.
    const late = Array.from({ length: 8 }, query);
    await sleep(2_500);
    const before = new Set(await bed.role.sessions());
    expect(before.size).toBe(4);
    process.kill(sidecar.pid, 'SIGCONT');
    const opened = new Set<number>();
    const stop = { watching: true };
    const watched = (async () => {
      while (stop.watching) {
        for (const pid of await bed.role.sessions()) if (!before.has(pid)) opened.add(pid);
        await sleep(5);
      }
    })();
    await expect.poll(bed.role.sessions, { ...soon, timeout: 1_500 }).toHaveLength(1);
    await Promise.all(late);
    stop.watching = false;
    await watched;
    expect([...opened]).toEqual([]);
  } finally {
    await holdfast.close();
    await sidecar.stop();
  }
});
