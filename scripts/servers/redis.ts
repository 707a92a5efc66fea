import type { ChildProcess } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { ServerProcess } from './server-process.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { endProcess, hasEnded, startTethered } from './tethered-process.ts';

interface RedisOptions {
  /** Kept when the server stops, with an append-only file. Absent: a temporary folder, removed on stop; nothing is saved. */
  readonly dataDir?: string;
  /** Absent: a free one. */
  readonly port?: number;
  /** An append-only file. Absent: where there is a `dataDir`. */
  readonly saves?: boolean;
  /** More of redis.conf, such as `{ maxmemory: '10mb' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** It is a Sentinel, and this file has what it watches; it writes there, too. */
  readonly sentinelFile?: string;
}

export interface RedisServer {
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when the server is gone. A temporary folder goes with it. */
  stop(): Promise<void>;
  /** SIGKILL; what was saved stays. */
  kill(): Promise<void>;
  /** Starts it again after `kill`: same port, same data where it saves. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Ends it, in order or by SIGKILL, and starts it. */
  restart(how?: 'fast' | 'kill'): Promise<void>;
  /** SIGSTOP: connections stay open, nobody answers. */
  pause(): void;
  resume(): void;
}

/** What to type where there is no Redis. */
export const installRedisLine = 'sudo apt-get update && sudo apt-get install -y redis-server';

const startTimeoutMs = 30_000;
const stopGraceMs = 10_000;

/** The Redis or Valkey server in PATH (or where Debian puts it), or undefined. */
export function redisProgram(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  for (const name of ['redis-server', 'valkey-server']) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Starts a real Redis of one's own on 127.0.0.1. It dies with this process. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = redisProgram();
  if (program === undefined) {
    throw new Error(`neither redis-server nor valkey-server is in PATH; type: ${installRedisLine}`);
  }
  const temporary = options.dataDir === undefined;
  const dataDir = options.dataDir ?? temporaryFolder('redis');
  mkdirSync(dataDir, { recursive: true });
  const log = join(dataDir, 'redis.log');
  const { settings = {}, sentinelFile } = options;

  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const run = { dataDir, port, log, saves: options.saves ?? !temporary, settings, sentinelFile };
    const launched = (): Promise<ChildProcess> => serving(program, run);
    try {
      const server = new ServerProcess(await launched(), { launch: launched, stopGraceMs });
      return redisServer(server, { url: `redis://127.0.0.1:${port}`, port, dataDir }, temporary);
    } catch (error) {
      const portTaken =
        options.port === undefined && readFileSync(log, 'utf8').includes('Address already in use');
      if (portTaken && attempt < 5) continue;
      if (temporary) rmSync(dataDir, { recursive: true });
      throw error;
    }
  }
}

function redisServer(
  server: ServerProcess,
  address: Pick<RedisServer, 'url' | 'port' | 'dataDir'>,
  temporary: boolean,
): RedisServer {
  return {
    ...address,
    get pid() {
      return server.pid;
    },
    get process() {
      return server.child;
    },
    stop: async () => {
      await server.end('SIGTERM');
      if (temporary) rmSync(address.dataDir, { recursive: true, force: true });
    },
    kill: () => server.end('SIGKILL'),
    start: () => server.start(),
    restart: async (how = 'fast') => {
      await server.end(how === 'fast' ? 'SIGTERM' : 'SIGKILL');
      await server.start();
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
  };
}

interface Launch {
  readonly dataDir: string;
  readonly port: number;
  readonly log: string;
  readonly saves: boolean;
  readonly settings: Readonly<Record<string, string>>;
  readonly sentinelFile: string | undefined;
}

async function serving(program: string, run: Launch): Promise<ChildProcess> {
  const server = launch(program, run);
  try {
    await ready(server, run.log);
  } catch (error) {
    await endProcess(server, 'SIGTERM', stopGraceMs);
    throw error;
  }
  return server;
}

function launch(program: string, run: Launch): ChildProcess {
  const { dataDir, port, log, saves, settings, sentinelFile } = run;
  const more = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const output = openSync(log, 'w', 0o600);
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', dataDir];
  const args =
    sentinelFile === undefined
      ? [...place, '--save', '', '--appendonly', saves ? 'yes' : 'no', ...more]
      : [sentinelFile, ...place, ...more, '--sentinel'];
  try {
    return startTethered(program, args, {
      env: {},
      stdio: ['ignore', output, output],
      deathSignal: 'SIGTERM',
    });
  } finally {
    closeSync(output);
  }
}

async function ready(server: ChildProcess, log: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < startTimeoutMs; waitedMs += 20) {
    if (hasEnded(server)) break;
    if (/Ready to accept connections|Sentinel ID is/.test(readFileSync(log, 'utf8'))) return;
    await sleep(20);
  }
  throw new Error(`Redis did not start:\n${readFileSync(log, 'utf8').slice(-2_000)}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
