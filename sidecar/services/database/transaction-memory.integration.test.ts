import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientFrame } from '../../../platform/gen/holdfast/v1/ClientFrame.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { collectGarbage } from '../../grpc/collect-garbage.test-kit.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { min: 1, max: 1 } } });
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

async function run(transactions: number): Promise<void> {
  using session = await bed.session();
  const frames: ClientFrame[] = [];
  for (let id = 1; id <= transactions; id += 1) {
    frames.push(
      { id: 2 * id, transactionId: id, begin: {} },
      { id: 2 * id + 1, transactionId: id, commit: {} },
    );
  }
  session.send(...frames);
  await session.answers(...frames.map(({ id = 0 }) => id));
}

const heapBytes = async (): Promise<number> => {
  await bed.poolWhole();
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

test('a transaction that has ended leaves nothing behind on its connection', async () => {
  await run(2_000);
  const before = await heapBytes();
  for (let round = 0; round < 4; round += 1) await run(2_000);
  // 8,000 transactions; each left 2.5 kB behind when they all listened for the end of the connection.
  expect((await heapBytes()) - before).toBeLessThan(8_000 * 400);
});
