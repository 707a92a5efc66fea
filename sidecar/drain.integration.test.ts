import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { TestBed } from './grpc/test-bed.test-kit.ts';

let database: TestDatabase;
let bed: TestBed;

beforeEach(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
  await bed.sql('create table items (id int primary key)');
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

const slow = { sql: 'select pg_sleep(0.3)' };

test('calls under way when the sidecar stops get their answers', async () => {
  const session = await bed.session();
  const stock = bed.stock();
  session.send({ id: 1, query: slow });
  const unary = stock.query(slow);
  await sleep(100);
  const stopping = bed.sidecar.app.stop(5_000);
  expect(await session.answer(1)).toMatchObject({ kind: 'query' });
  expect((await unary).command).toBe('SELECT');
  expect((await session.ended).status).toBe('OK');
  await stopping;
});

test('transactions that are open when the sidecar stops can be committed, on every transport', async () => {
  const session = await bed.session();
  const transaction = bed.stock().transaction();
  const insert = (id: number) => ({ query: { sql: `insert into items values (${id})` } });
  await transaction.ask({ begin: {} });
  await transaction.ask(insert(1));
  session.send({ id: 1, transactionId: 1, begin: {} }, { id: 2, transactionId: 1, ...insert(2) });
  await session.answers(1, 2);
  const stopping = bed.sidecar.app.stop(5_000);
  await sleep(100);
  expect((await transaction.ask(insert(3))).response).toBe('query');
  expect((await transaction.ask({ commit: {} })).response).toBe('committed');
  transaction.halfClose();
  expect((await session.ask({ transactionId: 1, commit: {} })).kind).toBe('commit');
  await stopping;
  expect(await bed.count('items')).toBe(3);
});

test('a session that is idle does not hold up the stop', async () => {
  await bed.session();
  const startedMs = performance.now();
  await bed.sidecar.app.stop(5_000);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
