import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { pauseProcess, resumeProcess } from '../scripts/faults/process-faults.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';

/** Who can open the Unix socket. */

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (socket: string, settings: Readonly<Record<string, string>> = {}) =>
  startSidecarProcess(
    { DATABASE_URL: database.url, REDIS_URL: 'off', HOLDFAST_SOCKET: socket, ...settings },
    { folder, output: 'kept' },
  );

const isRoot = process.getuid?.() === 0;
const skipped = isRoot ? '' : ' (skipped: only root can change to another user)';

test.skipIf(!isRoot)(
  `another user of the machine cannot open the socket, a member of its group can${skipped}`,
  async () => {
    const socket = join(folder, 'open.sock');
    const sidecar = await start(socket);
    // The folder alone would keep others out: here it does not.
    chmodSync(folder, 0o755);
    const nobody = execFileSync('id', ['-u', 'nobody']).toString().trim();
    const nogroup = execFileSync('id', ['-g', 'nobody']).toString().trim();
    // Perl is part of every Debian; where Node lies, nobody may have no access.
    const program =
      'socket(S, PF_UNIX, SOCK_STREAM, 0); print connect(S, sockaddr_un($ARGV[0])) ? "open" : $! + 0';
    const openAs = (group: string): string => {
      const user = [`--reuid=${nobody}`, `--regid=${group}`, '--clear-groups'];
      const args = [...user, 'perl', '-MSocket', '-e', program, socket];
      return execFileSync('setpriv', args, { cwd: '/' }).toString();
    };
    expect(openAs(nogroup)).toBe(`${constants.errno.EACCES}`);
    expect(openAs(`${statSync(socket).gid}`)).toBe('open');
    await sidecar.stop();
  },
);

test('in a pod containers of all users can open the socket', async () => {
  const socket = join(folder, 's.sock');
  const sidecar = await start(socket, { HOLDFAST_SOCKET_MODE: '0666' });
  expect(statSync(socket).mode & 0o777).toBe(0o666);
  await sidecar.stop();
});

test('a folder that the sidecar makes is closed to others', async () => {
  const socket = join(folder, 'made/here/s.sock');
  const sidecar = await start(socket);
  for (const made of ['made', 'made/here']) {
    expect(statSync(join(folder, made)).mode & 0o777).toBe(0o750);
  }
  expect(statSync(socket).mode & 0o777).toBe(0o660);
  await sidecar.stop();
});

test('the socket is closed to others whatever the umask is', async () => {
  const socket = join(folder, 's.sock');
  const before = process.umask(0);
  const starting = start(socket);
  process.umask(before);
  const sidecar = await starting;
  expect(statSync(socket).mode & 0o777).toBe(0o660);
  await sidecar.stop();
});

test('a sidecar that hangs keeps its socket, however many wait for it', async () => {
  const socket = join(folder, 's.sock');
  const sidecar = await start(socket);
  pauseProcess(sidecar.pid);
  const refusal = async (): Promise<string> => {
    const failure: unknown = await start(socket).catch((thrown: unknown) => thrown);
    return String(failure);
  };
  expect(await refusal()).toContain(`another process serves ${socket}`);
  // More than the queue of the kernel takes.
  const waiting = Array.from({ length: 600 }, () => connect(socket).on('error', () => {}));
  expect(await refusal()).toContain(`another process may serve ${socket} (EAGAIN)`);
  for (const each of waiting) each.destroy();
  resumeProcess(sidecar.pid);
  expect(existsSync(socket)).toBe(true);
  await sidecar.stop();
});
