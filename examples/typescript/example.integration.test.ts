import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redisUrl, type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';

let database: TestDatabase;
let sidecar: TestSidecar;

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, redisUrl: redisUrl() });
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

test('the example runs, and its process ends by itself', async () => {
  const example = join(import.meta.dirname, 'example.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [example, sidecar.address]);
  expect(stdout.trim().split('\n')).toEqual([
    "query 42 [ 'a', 'b c' ]",
    "order { id: 1, total: '19.90' }",
    "order { id: 2, total: '5.00' }",
    'error DATABASE_ERROR 23505 orders_pkey',
    'cancelled CANCELLED',
    'redis hello',
  ]);
});
