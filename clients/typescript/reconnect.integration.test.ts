import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect } from './index.ts';

let database: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'hf-'));
const start = (): Promise<TestSidecar> => startSidecar({ databaseUrl: database.url, folder });

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

test.each(['session', 'unary'] as const)(
  'over %s: after a restart, calls in flight have failed once, the transaction is gone, and new calls work',
  async (transport) => {
    let sidecar = await start();
    await using holdfast = connect({ address: sidecar.address, transport });
    const db = holdfast.database();
    const table = `restarts_${transport}`;
    await db.query(`create table ${table} (id int4)`);
    await using tx = await db.begin();
    await tx.query(`insert into ${table} values (1)`);
    const sleeping = db.query(`insert into ${table} select 2 from pg_sleep(20)`);
    const settled = Promise.allSettled([sleeping]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sidecar.stop(0);
    expect(await settled).toMatchObject([
      { reason: { code: 'UNAVAILABLE', reason: 'SIDECAR_LOST' } },
    ]);
    const waiting = db.query('select 1 as one');
    await new Promise((resolve) => setTimeout(resolve, 200));
    sidecar = await start();
    expect((await waiting).rows).toEqual([{ one: 1 }]);
    await expect(tx.query('select 1')).rejects.toMatchObject({ name: 'HoldfastError' });
    expect((await db.query(`select * from ${table}`)).rows).toEqual([]);
    await sidecar.stop();
  },
);
