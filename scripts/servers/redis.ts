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
import { temporaryFolder } from './temporary-folder.ts';
import { endProcess, hasEnded, startTethered } from './tethered-process.ts';

interface RedisOptions {
  /** Kept when the server stops, with an append-only file. Absent: a temporary folder, removed on stop; nothing is saved. */
  readonly dataDir?: string;
  /** Absent: a free one. */
  readonly port?: number;
}

export interface RedisServer {
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when the server is gone. */
  stop(): Promise<void>;
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

  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = launch(program, { dataDir, port, log, saves: !temporary });
    try {
      await ready(server, log);
    } catch (error) {
      await endProcess(server, 'SIGTERM', stopGraceMs);
      const portTaken =
        options.port === undefined && readFileSync(log, 'utf8').includes('Address already in use');
      if (portTaken && attempt < 5) continue;
      if (temporary) rmSync(dataDir, { recursive: true });
      throw error;
    }
    return {
      url: `redis://127.0.0.1:${port}`,
      port,
      dataDir,
      pid: server.pid as number,
      process: server,
      stop: async () => {
        await endProcess(server, 'SIGTERM', stopGraceMs);
        if (temporary) rmSync(dataDir, { recursive: true, force: true });
      },
    };
  }
}

interface Launch {
  readonly dataDir: string;
  readonly port: number;
  readonly log: string;
  readonly saves: boolean;
}

function launch(program: string, { dataDir, port, log, saves }: Launch): ChildProcess {
  const output = openSync(log, 'w', 0o600);
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--dir', dataDir, '--save', ''];
  try {
    return startTethered(program, [...args, '--appendonly', saves ? 'yes' : 'no'], {
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
    if (readFileSync(log, 'utf8').includes('Ready to accept connections')) return;
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
