import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { name: 'orders' } });
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

test('in a transaction an empty pool is that of the transaction, also where none is called default', async () => {
  const session = await bed.session();
  const frames = [
    { begin: { pool: 'orders' } },
    { query: { sql: 'select 1' } },
    { batch: { statements: [{ sql: 'select 1' }] } },
    { page: { table: 'pg_catalog.pg_class', pageSize: 1 } },
    { commit: {} },
  ].map((frame, at) => ({ ...frame, id: at + 1, transactionId: 1 }));
  session.send(...frames);
  const answers = await session.answers(...frames.map(({ id }) => id));
  expect(answers.map(({ kind }) => kind)).toEqual(['begin', 'query', 'batch', 'page', 'commit']);
});
