import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isTraversable } from '../servers/postgres-binaries.ts';

/** Where `./dev up` keeps things, all of it in one folder where that is possible. */
export interface StateFolder {
  readonly folder: string;
  readonly postgresDir: string;
  readonly redisDir: string;
  /** Holds `<name>/<key>`, as secrets are mounted in a pod. */
  readonly secretsDir: string;
  readonly stateDir: string;
  readonly tokenFile: string;
  readonly socket: string;
  readonly sidecarLog: string;
  /** What is not where one would look for it, in sentences. */
  readonly notes: readonly string[];
}

/** The kernel takes no longer path for a socket. */
const maxSocketBytes = 107;

/** Makes what is missing in `folder`, which is `.holdfast/` of the checkout unless somebody wants it elsewhere. */
export function openStateFolder(folder: string): StateFolder {
  const notes: string[] = [];
  mkdirSync(folder, { recursive: true });

  // Root runs PostgreSQL as somebody else, who has to get there.
  let postgresDir = join(folder, 'postgres');
  if (process.getuid?.() === 0 && !isTraversable(folder)) {
    postgresDir = join(beside(folder), 'postgres');
    notes.push(`only root may enter this folder, so PostgreSQL's data is in ${postgresDir}`);
  }
  let socket = join(folder, 'run/holdfast.sock');
  if (Buffer.byteLength(socket) > maxSocketBytes) {
    socket = join(beside(folder), 'run/holdfast.sock');
    notes.push(`the path of this folder is too long for a socket, so it is ${socket}`);
  }
  const secretsDir = join(folder, 'secrets');
  const stateDir = join(folder, 'state');
  for (const hidden of [secretsDir, stateDir, dirname(socket)]) {
    mkdirSync(hidden, { recursive: true });
    chmodSync(hidden, 0o700);
  }
  return {
    folder,
    postgresDir,
    redisDir: join(folder, 'redis'),
    secretsDir,
    stateDir,
    tokenFile: join(folder, 'token'),
    socket,
    sidecarLog: join(folder, 'sidecar.log'),
    notes,
  };
}

/** Writes a secret where a pod would have it mounted. */
export function writeSecret(secretsDir: string, name: string, key: string, value: string): void {
  const file = join(secretsDir, name, key);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, value, { mode: 0o600 });
}

/** The token of the TCP port, the same from run to run. */
export function tokenIn(file: string): string {
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}

/** A folder in a place with a short path that everybody may enter; it belongs to the state folder all the same. */
function beside(stateFolder: string): string {
  const key = createHash('sha256').update(stateFolder).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `holdfast-${key}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to somebody else: remove it, or set TMPDIR`);
  }
  return folder;
}
