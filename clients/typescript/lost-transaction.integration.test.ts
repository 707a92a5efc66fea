import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type Holdfast } from './index.ts';

let database: TestDatabase;
let sidecar: TestSidecar;
beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url });
});
afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

describe.each(['session', 'unary'] as const)('by %s', (transport) => {
  let holdfast: Holdfast;
  beforeAll(async () => {
    holdfast = connect({ address: sidecar.address, transport });
    await holdfast.database().query('create table if not exists lost (id int)');
  });
  afterAll(() => holdfast.close());

  test('work whose transaction was rolled back before its end is never told as committed', async () => {
    const db = holdfast.database();
    const work = db.transaction(
      async (tx) => {
        await tx.query('insert into lost values (1)');
        await sleep(300);
      },
      { idleTimeoutMs: 50 },
    );
    await expect(work).rejects.toMatchObject({ reason: 'IDLE_IN_TRANSACTION_TIMEOUT' });
    expect((await db.query('select * from lost')).rows).toEqual([]);
  });

  test('work that ends its transaction itself is done, however it ended it', async () => {
    const db = holdfast.database();
    await db.transaction(async (tx) => {
      await tx.query('insert into lost values (2)');
      await tx.rollback();
    });
    await db.transaction(async (tx) => {
      await tx.query('insert into lost values (3)');
      await tx.commit();
    });
    expect((await db.query('delete from lost returning id')).rows).toEqual([{ id: 3 }]);
  });
});
