import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, hasEnded, startTethered } from '../servers/tethered-process.ts';

interface SidecarOptions {
  readonly checkout: string;
  /** DATABASE_URL, HOLDFAST_SOCKET and the like; what else is in this process's environment comes with them. */
  readonly settings: Readonly<Record<string, string | undefined>>;
  readonly httpPort: number;
  readonly logFile: string;
}

export interface Sidecar {
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;
/** Calls in flight may finish. */
const stopGraceMs = 30_000;
const warnings: readonly unknown[] = ['warn', 'error', 'fatal'];

/** Starts `sidecar/main.ts` and resolves when it serves. Its log goes to a file, warnings to the terminal too. */
export async function startSidecar(options: SidecarOptions, signal: AbortSignal): Promise<Sidecar> {
  const { checkout, settings, httpPort, logFile } = options;
  const child = startTethered(process.execPath, ['sidecar/main.ts'], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    deathSignal: 'SIGTERM',
    cwd: checkout,
  });
  const log = createWriteStream(logFile, { mode: 0o600 });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      if (isWarning(line)) console.error(`sidecar: ${line}`);
    });
  }
  child.once('close', () => log.end());
  try {
    await serving(child, httpPort, signal);
  } catch (error) {
    await endProcess(child, 'SIGTERM', stopGraceMs);
    throw error;
  }
  return { process: child, stop: () => endProcess(child, 'SIGTERM', stopGraceMs) };
}

async function serving(child: ChildProcess, httpPort: number, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < startTimeoutMs; waitedMs += 50) {
    signal.throwIfAborted();
    if (hasEnded(child)) throw new Error(`the sidecar ended at once: ${howItEnded(child)}`);
    if (await answers(`http://127.0.0.1:${httpPort}/readyz`)) return;
    await sleep(50, undefined, { signal });
  }
  throw new Error(`the sidecar is not ready after ${startTimeoutMs / 1_000} s`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** `exit code 1` or `SIGKILL`. */
export const howItEnded = ({ exitCode, signalCode }: ChildProcess): string =>
  signalCode ?? `exit code ${exitCode}`;

/** Whether a line of the log is a warning or worse, or no log line at all. */
function isWarning(line: string): boolean {
  try {
    return warnings.includes((JSON.parse(line) as { level?: unknown }).level);
  } catch {
    return line.trim() !== '';
  }
}
