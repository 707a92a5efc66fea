import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { TestBed } from './test-bed.test-kit.ts';

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
  await bed.sql('create sequence ran');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

test('a transaction on a stream of its own runs only as far ahead as its client reads', async () => {
  const transaction = bed.stock().transaction();
  await transaction.ask({ begin: {} });
  const queries = 40;
  for (let at = 0; at < queries; at += 1) {
    transaction.send({ query: { sql: `select nextval('ran'), repeat('x', 1000000)` } });
  }
  await sleep(500);
  const [ran] = await bed.sql<{ last_value: string }>('select last_value from ran');
  // The client itself takes sixteen messages ahead.
  expect(Number(ran?.last_value)).toBeLessThan(25);
  for (let at = 0; at < queries; at += 1) {
    const { query } = await transaction.answer();
    expect(query?.rows[0]?.cells[0]?.text).toBe(String(at + 1));
  }
  expect((await transaction.ask({ commit: {} })).response).toBe('committed');
  transaction.halfClose();
  await bed.poolWhole();
});

test('one whose client reads nothing is rolled back all the same when it is cancelled', async () => {
  const transaction = bed.stock().transaction();
  await transaction.ask({ begin: {} });
  for (let at = 0; at < 10; at += 1) {
    transaction.send({ query: { sql: `select repeat('x', 1000000)` } });
  }
  await sleep(200);
  transaction.cancel();
  expect((await transaction.ended).status).toBe('CANCELLED');
  await bed.poolWhole();
});
