import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as client from './index.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';

const here = import.meta.dirname;
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

test('the package as it is published works by itself, with its own copy of the protos', async () => {
  execFileSync(process.execPath, [join(here, 'build.ts')], { stdio: 'inherit' });
  const dist = pathToFileURL(join(here, 'dist/clients/typescript/index.js')).href;
  const { connect } = (await import(/* @vite-ignore */ dist)) as typeof client;
  await using holdfast = connect({ address: sidecar.address });
  const db = holdfast.database();
  await db.transaction(async (tx) => {
    expect((await tx.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
  await expect(db.query('select 1/0')).rejects.toMatchObject({ sqlstate: '22012' });
});
