import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueryResult__Output } from '../../platform/gen/holdfast/v1/QueryResult.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { collectGarbage } from './collect-garbage.test-kit.ts';
import { cellsOf } from './raw-session.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
  await bed.sql(`create table large (body text); insert into large values (repeat('x', 100000))`);
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

test('a stream passes a gigabyte of rows, all of them and in order, in bounded memory', async () => {
  using stock = bed.stock();
  const query = { sql: 'select i, body from large, generate_series(1, 10000) i' };
  collectGarbage();
  const beforeMb = process.memoryUsage.rss() / 1e6;
  let mostMb = 0;
  let rows = 0;
  let bytes = 0;
  for await (const part of stock.stream({ query })) {
    for (const [i, body] of cellsOf(part as QueryResult__Output)) {
      rows += 1;
      bytes += body?.length ?? 0;
      if (Number(i) !== rows) throw new Error(`row ${i} came as the one after ${rows - 1}`);
    }
    mostMb = Math.max(mostMb, process.memoryUsage.rss() / 1e6);
  }
  expect([rows, bytes]).toEqual([10_000, 1_000_000_000]);
  expect(mostMb - beforeMb).toBeLessThan(250);
  await bed.poolWhole();
});
