import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { limited, type ProcessLimits } from '../faults/process-faults.ts';
import { freePort } from './free-port.ts';
import { endProcess, hasEnded, startTethered } from './tethered-process.ts';

interface SidecarOptions {
  /** A manifest. */
  readonly policy?: string | undefined;
  /** Where its output goes: to this process's own, to `output()`, or to a disk without room. */
  readonly output?: 'inherit' | 'kept' | 'full';
  readonly limits?: ProcessLimits;
  /** Program and arguments instead of this checkout's `sidecar/main.ts`. */
  readonly main?: readonly string[];
  /** Serve where an earlier one served; its folder outlives `stop()`. */
  readonly folder?: string;
}

export interface SidecarProcess {
  /** `unix:…` */
  readonly address: string;
  readonly httpPort: number;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Of its socket, secrets and policy. */
  readonly folder: string;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** What it has written so far, where that is kept. */
  output(): string;
  /** Text of `/metrics`. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

/** A sidecar as users run it, in a process of its own. */
export async function startSidecarProcess(
  env: Readonly<Record<string, string>>,
  { policy, output = 'inherit', limits, main, ...options }: SidecarOptions = {},
): Promise<SidecarProcess> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'hf-'));
  mkdirSync(join(folder, 'secrets'), { recursive: true });
  const httpPort = await freePort();
  const socket = join(folder, 's.sock');
  if (policy !== undefined) writeFileSync(join(folder, 'policy.yaml'), policy);
  const program = main ?? [fileURLToPath(new URL('../../sidecar/main.ts', import.meta.url))];
  const plain: [string, ...string[]] = [process.execPath, ...program];
  const [command, ...args] = limits === undefined ? plain : limited(plain, limits);
  const full = output === 'full' ? openSync('/dev/full', 'w') : undefined;
  const to = full ?? (output === 'kept' ? 'pipe' : 'inherit');
  const child = startTethered(command, args, {
    env: {
      PATH: process.env['PATH'],
      HOLDFAST_SOCKET: socket,
      HOLDFAST_HTTP_PORT: `${httpPort}`,
      HOLDFAST_LOG_LEVEL: 'warn',
      HOLDFAST_SECRETS_DIR: join(folder, 'secrets'),
      ...(policy === undefined ? {} : { HOLDFAST_POLICY_FILE: join(folder, 'policy.yaml') }),
      ...env,
    },
    stdio: ['ignore', to, to],
    deathSignal: 'SIGTERM',
  });
  if (full !== undefined) closeSync(full);
  const written: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => written.push(bytes.toString()));
  }
  const exited = once(child, 'close').then(() => child.exitCode);
  const stop = async (): Promise<void> => {
    await endProcess(child, 'SIGTERM', 30_000);
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await ready(child, httpPort);
  } catch (error) {
    await stop();
    throw new Error(`the sidecar does not become ready: ${written.join('')}`, { cause: error });
  }
  return {
    address: `unix:${socket}`,
    httpPort,
    pid: child.pid as number,
    process: child,
    folder,
    exited,
    output: () => written.join(''),
    metrics: async () => (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text(),
    stop,
  };
}

async function ready(child: ChildProcess, httpPort: number): Promise<void> {
  // On a busy machine many of them may start at a time.
  const lateAt = performance.now() + 60_000;
  while (performance.now() < lateAt) {
    if (hasEnded(child)) throw new Error('it ended');
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error('it took more than a minute');
}
