import { execFileSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { ServerProcess } from './server-process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { endProcess, hasEnded, startTethered } from './tethered-process.ts';
import type { RunAs } from './tethered-process.ts';

interface PostgresOptions {
  /** Kept when the server stops; used again when it holds a cluster. Absent: a temporary folder, removed on stop. */
  readonly dataDir?: string;
  /** Absent: a free one. */
  readonly port?: number;
  /** More lines of postgresql.conf, such as `{ max_connections: '50' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PostgresServer {
  /** `postgres://postgres:…@127.0.0.1:port/postgres`, a superuser. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Of the postmaster that runs now, or ran last. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when the server is gone; sessions that are open are cut. A temporary folder goes with it. */
  stop(): Promise<void>;
  /** Ends it and keeps its data: `fast` and `immediate` as pg_ctl has them, `kill` is a SIGKILL of the postmaster. */
  shutDown(how: Shutdown): Promise<void>;
  /** Starts it again after `shutDown`: same data, same port. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Shuts down and starts. */
  restart(how?: Shutdown): Promise<void>;
  kill(): Promise<void>;
  /** SIGSTOP for all of its processes: connections stay open, nobody answers. */
  pause(): void;
  resume(): void;
}

export type Shutdown = 'fast' | 'immediate' | 'kill';

const shutdownSignals = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const;

const startTimeoutMs = 60_000;
const stopGraceMs = 20_000;

/** Nothing in a temporary cluster is worth a disk flush. For commits that outlive `kill`, set `synchronous_commit: 'on'`. */
const temporarySettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
};

/** Starts a real PostgreSQL of one's own on 127.0.0.1. It dies with this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const temporary = options.dataDir === undefined;
  const dataDir = options.dataDir ?? temporaryFolder('postgres');
  mkdirSync(dataDir, { recursive: true });
  const cluster = join(realpathSync(dataDir), 'cluster');
  const runAs = unprivilegedUser(cluster);
  const binaries = postgresBinaries(runAs);
  const settings = { ...(temporary ? temporarySettings : {}), ...options.settings };
  await predecessorGone(cluster);
  const password = existsSync(cluster)
    ? readFileSync(passwordFile(dataDir), 'utf8')
    : makeCluster(dataDir, binaries, runAs);

  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const run = { dataDir, port, binaries, runAs, settings, temporary };
    try {
      const server = new ServerProcess(await serving(run), {
        launch: () => serving(run),
        gone: () => predecessorGone(cluster),
        stopGraceMs,
      });
      const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
      return postgresServer(server, { url, port, dataDir }, temporary);
    } catch (error) {
      const portTaken = options.port === undefined && logOf(dataDir).includes('Address already in');
      if (portTaken && attempt < 5) continue;
      if (temporary) rmSync(dataDir, { recursive: true });
      throw error;
    }
  }
}

function postgresServer(
  server: ServerProcess,
  address: Pick<PostgresServer, 'url' | 'port' | 'dataDir'>,
  temporary: boolean,
): PostgresServer {
  const shutDown = (how: Shutdown): Promise<void> => server.end(shutdownSignals[how]);
  return {
    ...address,
    get pid() {
      return server.pid;
    },
    get process() {
      return server.child;
    },
    stop: async () => {
      await server.end(temporary ? 'SIGQUIT' : 'SIGINT');
      if (temporary) rmSync(address.dataDir, { recursive: true, force: true });
    },
    shutDown,
    start: () => server.start(),
    restart: async (how = 'fast') => {
      await shutDown(how);
      await server.start();
    },
    kill: () => shutDown('kill'),
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}

const passwordFile = (dataDir: string): string => join(dataDir, 'password');
const logFile = (dataDir: string): string => join(dataDir, 'postgres.log');
const logOf = (dataDir: string): string => readFileSync(logFile(dataDir), 'utf8');

/** PostgreSQL refuses to run as root: whom root runs it as instead. `nobody` saves making a user on the machine. */
function unprivilegedUser(cluster: string): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(cluster)) {
    const { uid, gid } = statSync(cluster);
    return { uid, gid };
  }
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

/** Makes the cluster aside and renames it when it is whole, so that being killed half-way does no harm. */
function makeCluster(dataDir: string, { initdb }: PostgresBinaries, runAs?: RunAs): string {
  const fresh = join(dataDir, 'cluster.new');
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  if (runAs !== undefined) chownSync(fresh, runAs.uid, runAs.gid);
  const password = randomBytes(18).toString('base64url');
  writeFileSync(passwordFile(dataDir), password, { mode: 0o600 });
  const handedOver = join(dataDir, 'password.new');
  writeFileSync(handedOver, password, { mode: 0o600 });
  if (runAs !== undefined) chownSync(handedOver, runAs.uid, runAs.gid);
  execFileSync(
    initdb,
    [
      `--pgdata=${fresh}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${handedOver}`,
      '--encoding=UTF8',
      // The same on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      // More rounds only make connecting slower: the password cannot be guessed.
      '--set=scram_iterations=1',
      '--set=unix_socket_directories=',
      '--set=listen_addresses=127.0.0.1',
      '--set=timezone=UTC',
      '--set=log_timezone=UTC',
    ],
    { ...runAs, cwd: '/', env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  rmSync(handedOver);
  renameSync(fresh, join(dataDir, 'cluster'));
  return password;
}

interface Launch {
  readonly dataDir: string;
  readonly port: number;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly temporary: boolean;
}

async function serving(run: Launch): Promise<ChildProcess> {
  const server = launch(run);
  try {
    await ready(server, run.dataDir);
  } catch (error) {
    await endProcess(server, 'SIGQUIT', stopGraceMs);
    throw error;
  }
  return server;
}

function launch({ dataDir, port, binaries, runAs, settings, temporary }: Launch): ChildProcess {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = openSync(logFile(dataDir), 'w', 0o600);
  try {
    return startTethered(
      binaries.postgres,
      ['-D', join(dataDir, 'cluster'), '-p', String(port), ...flags],
      {
        env: {},
        stdio: ['ignore', log, log],
        deathSignal: temporary ? 'SIGQUIT' : 'SIGINT',
        runAs,
      },
    );
  } finally {
    closeSync(log);
  }
}

/** The last line of postmaster.pid says how far the server is. */
async function ready(server: ChildProcess, dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'cluster/postmaster.pid');
  for (let waitedMs = 0; waitedMs < startTimeoutMs; waitedMs += 20) {
    if (hasEnded(server)) break;
    const lines = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : [];
    const state = lines[7]?.trim() ?? '';
    if (lines[0] === String(server.pid) && /^(?:ready|standby)$/.test(state)) return;
    await sleep(20);
  }
  throw new Error(`PostgreSQL did not start:\n${logOf(dataDir).slice(-2_000)}`);
}

/** Waits for a server on the same data that is going down because the process it belonged to was killed. */
async function predecessorGone(cluster: string): Promise<void> {
  for (let waitedMs = 0; isInUse(cluster); waitedMs += 50) {
    if (waitedMs > stopGraceMs) throw new Error(`another PostgreSQL runs on ${cluster}`);
    await sleep(50);
  }
  // PostgreSQL would take the file for a live server when its pid has gone to some other process since.
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
}

/** Every process of a PostgreSQL server works in its cluster's folder. */
function isInUse(cluster: string): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === cluster;
    } catch {
      return false;
    }
  });
}
