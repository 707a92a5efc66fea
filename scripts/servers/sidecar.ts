import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { sidecarFlags } from './sidecar-flags.ts';
import { endProcess, startTethered } from './tethered-process.ts';

export interface SidecarProcess {
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A sidecar as users run it, in a process of its own. */
export async function startSidecarProcess(
  env: Readonly<Record<string, string>>,
  policy?: string,
): Promise<SidecarProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-bench-'));
  mkdirSync(join(folder, 'secrets'), { recursive: true });
  const httpPort = await freePort();
  const socket = join(folder, 's.sock');
  if (policy !== undefined) writeFileSync(join(folder, 'policy.yaml'), policy);
  const child = startTethered(
    process.execPath,
    [...sidecarFlags, fileURLToPath(new URL('../../sidecar/main.ts', import.meta.url))],
    {
      env: {
        PATH: process.env['PATH'],
        HOLDFAST_SOCKET: socket,
        HOLDFAST_HTTP_PORT: `${httpPort}`,
        HOLDFAST_LOG_LEVEL: 'warn',
        HOLDFAST_SECRETS_DIR: join(folder, 'secrets'),
        ...env,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
      deathSignal: 'SIGTERM',
    },
  );
  await ready(httpPort);
  return {
    address: `unix:${socket}`,
    pid: child.pid as number,
    stop: async () => {
      await endProcess(child, 'SIGTERM', 5_000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(httpPort: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(50);
  }
  throw new Error('the sidecar does not become ready');
}
