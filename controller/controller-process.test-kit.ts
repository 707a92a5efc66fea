import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endProcess, startTethered } from '../scripts/servers/tethered-process.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Ports and name, as a controller says them when it serves. */
export interface Serving {
  readonly httpPort: number;
  readonly discoveryPort: number;
  readonly webhookPort: number;
  readonly identity: string;
}

/** A controller as a process of its own. */
export interface ControllerProcess {
  readonly child: ChildProcess;
  /** Both streams so far. */
  readonly output: () => string;
  /** Exit code; null after a signal. */
  readonly exit: Promise<number | null>;
  /** Resolves when it says that it serves; rejects when it ends before. */
  serving(): Promise<Serving>;
  end(signal: NodeJS.Signals): Promise<void>;
}

export function startController(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ControllerProcess {
  const child = startTethered(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    deathSignal: 'SIGTERM',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  }
  const exit = once(child, 'close').then(() => child.exitCode);
  return {
    child,
    output: () => output,
    exit,
    serving: async () => {
      for (;;) {
        const line = output.split('\n').find((each) => each.endsWith('"msg":"serving"}'));
        if (line !== undefined) return JSON.parse(line) as Serving;
        const ended = await Promise.race([once(child.stdout as never, 'data'), exit]);
        if (!Array.isArray(ended)) throw new Error(`it does not serve: ${output}`);
      }
    },
    end: (signal) => endProcess(child, signal, 10_000),
  };
}
