import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const program = fileURLToPath(new URL('holdfast.ts', import.meta.url));

/** Runs the command as `kubectl exec` does in the sidecar's container. */
const inspect = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const command = [program, 'inspect', ...args];
    const child = execFile(process.execPath, command, { env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });

test('inspect says what the sidecar at the socket of its settings goes by', async () => {
  const socket = join(folder, 's.sock');
  const env = {
    DATABASE_URL: 'postgres://user:password@127.0.0.1:1/database',
    REDIS_URL: 'off',
    HOLDFAST_SOCKET: socket,
  };
  const sidecar = await startSidecarProcess(env, { folder, output: 'kept' });
  const { code, out, err } = await inspect([], env);
  expect([code, err]).toEqual([0, '']);
  const said: unknown = JSON.parse(out);
  expect(said).toMatchObject({
    version: '1',
    faults: [],
    controller: null,
    targets: [{ kind: 'Postgres', name: 'default' }],
  });
  expect(await inspect(['--socket', socket])).toMatchObject({ code: 0 });
  await sidecar.stop();
});

test('inspect says so when nobody answers, and what it does not understand', async () => {
  const socket = join(folder, 'none.sock');
  const alone = await inspect(['--socket', socket]);
  expect([alone.code, alone.out]).toEqual([1, '']);
  expect(alone.err).toContain(`the sidecar at ${socket} does not answer: 14 UNAVAILABLE`);
  expect(await inspect(['--everything'])).toMatchObject({ code: 64 });
  expect((await inspect(['--help'])).out).toContain('Policies.Inspect');
});
