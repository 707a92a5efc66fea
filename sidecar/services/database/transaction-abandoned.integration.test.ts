import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { waysToAbandon } from '../../grpc/abandoned-transactions.test-kit.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

/** A hundred and more transactions that an app leaves behind; a thousand in the long test. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { min: 2, max: 8 } } });
  await bed.sql('create table items (id int)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

test.for(Object.entries(waysToAbandon))(
  'transactions are rolled back and the pool is whole when %s',
  async ([, abandon]) => {
    await abandon(bed, 8);
    await bed.poolWhole();
    expect(await bed.count('items')).toBe(0);
    expect(bed.sidecar.app.databases.named('default').pool.size).toBeLessThanOrEqual(8);
    // All eight are there to be had.
    const session = await bed.session();
    const ids = [1, 2, 3, 4, 5, 6, 7, 8];
    session.send(...ids.map((id) => ({ id, transactionId: id, begin: {} })));
    expect((await session.answers(...ids)).map(({ kind }) => kind)).toEqual(ids.map(() => 'begin'));
    session.close();
    await bed.poolWhole();
  },
);
