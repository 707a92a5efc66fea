import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { waysToAbandon } from './abandoned-transactions.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

const poolMax = 20;
const transactions = 1_000;

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    postgres: { pool: { min: 2, max: poolMax, acquireTimeoutMs: 30_000 } },
  });
  await bed.sql('create table items (id int)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

test('a thousand transactions, abandoned in every way and several at once, leave nothing behind', async () => {
  const ways = Object.values(waysToAbandon);
  let begun = 0;
  while (begun < transactions) {
    // Three ways side by side, with as many transactions as the pool has connections.
    const abreast = [0, 1, 2].map((next) => ways[(begun / 18 + next) % ways.length]);
    await Promise.all(
      abreast.map(async (abandon, at) => {
        await sleep(at * 5);
        await abandon?.(bed, 6);
      }),
    );
    begun += 18;
    if (begun % 180 === 0) await bed.poolWhole(5_000);
  }
  await bed.poolWhole(5_000);
  expect(begun).toBeGreaterThanOrEqual(transactions);
  expect(await bed.count('items')).toBe(0);
  expect((await bed.backends()).length).toBeLessThanOrEqual(poolMax);
  const session = await bed.session();
  const ids = Array.from({ length: poolMax }, (_, at) => at + 1);
  session.send(...ids.map((id) => ({ id, transactionId: id, begin: {} })));
  expect((await session.answers(...ids)).every(({ kind }) => kind === 'begin')).toBe(true);
});
