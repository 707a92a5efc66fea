import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectTo } from '../scripts/servers/template-database.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { schemaVersion } from './postgres/migrate.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  await connectTo(database.url, (client) => client.query('drop schema holdfast cascade'));
});
afterEach(() => database.drop());

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const program = fileURLToPath(new URL('holdfast.ts', import.meta.url));

/** Runs the command as users do. */
const holdfast = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

test('migrate brings the schema up to date, and says when there is nothing to do', async () => {
  const env = { DATABASE_URL: database.url };
  expect(await holdfast(['migrate'], env)).toEqual({
    code: 0,
    out: `database of pool "default": schema holdfast from version 0 to ${schemaVersion}\n`,
    err: '',
  });
  expect((await holdfast(['migrate'], env)).out).toBe(
    `database of pool "default": schema holdfast is at version ${schemaVersion}\n`,
  );
});

test('what migrate --print writes does the same in the hands of somebody else', async () => {
  const { code, out } = await holdfast(['migrate', '--print']);
  expect(code).toBe(0);
  await connectTo(database.url, (client) => client.query(out));
  expect((await holdfast(['migrate'], { DATABASE_URL: database.url })).out).toContain(
    `is at version ${schemaVersion}`,
  );
});

test('what is wrong is one line, without the password', async () => {
  const url = new URL(database.url);
  url.password = 's3cret';
  const refused = await holdfast(['migrate'], { DATABASE_URL: url.href });
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err).toMatch(/^database of pool "default": password authentication failed.*\n$/);
  expect(refused.err).not.toContain('s3cret');
  expect(await holdfast(['migrate'])).toMatchObject({
    code: 78,
    err: expect.stringContaining('DATABASE_URL is missing') as string,
  });
  const unknown = await holdfast(['migrate', '--now']);
  expect(unknown).toMatchObject({ code: 64, out: '' });
  expect(unknown.err).toContain('usage: holdfast migrate');
});

test('holdfast says what it can do', async () => {
  expect((await holdfast(['--help'])).out).toContain('holdfast migrate');
  expect((await holdfast(['migrate', '--help'])).out).toContain('--print');
  expect((await holdfast(['sidecar', '--help'])).out).toContain('--check-config');
  expect(await holdfast([])).toMatchObject({ code: 64 });
});
