import { spawn } from 'node:child_process';

interface CommandOptions {
  /** Ends the command, and everything that it started, when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Shows what the command prints as it prints it, rather than collecting it. */
  readonly live?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

export interface CommandResult {
  readonly succeeded: boolean;
  /** Exit code; undefined when it did not start, or ended by a signal. */
  readonly code: number | undefined;
  /** Both outputs, empty when they were shown live. */
  readonly output: string;
}

/** Runs a command to its end. A command that cannot be started has not succeeded. */
export function runCommand(
  command: string,
  args: readonly string[],
  { signal, live = false, env = process.env }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const stdio = live ? 'inherit' : 'pipe';
    // A process group of its own, so that it can be ended as a whole.
    const child = spawn(command, args, { stdio: ['ignore', stdio, stdio], env, detached: true });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    const finish = (code: number | undefined, more = ''): void => {
      signal?.removeEventListener('abort', stop);
      resolve({ succeeded: code === 0, code, output: Buffer.concat(chunks).toString() + more });
    };
    child.once('error', (error) => finish(undefined, error.message));
    child.once('close', (code) => finish(code ?? undefined));
  });
}
