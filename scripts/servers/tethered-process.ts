import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A user that a process of root changes to. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

interface TetheredOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StdioOptions;
  /** What the kernel sends when this process dies, however it dies: SIGKILL leaves nothing behind either. */
  readonly deathSignal: 'SIGINT' | 'SIGTERM' | 'SIGQUIT';
  readonly runAs?: RunAs | undefined;
  readonly cwd?: string;
}

/** Starts a program that cannot outlive this process. Its pid is the program's own: nothing stands in between. */
export function startTethered(
  command: string,
  args: readonly string[],
  options: TetheredOptions,
): ChildProcess {
  const { env, stdio, deathSignal, runAs, cwd = '/' } = options;
  const user =
    runAs === undefined ? [] : [`--reuid=${runAs.uid}`, `--regid=${runAs.gid}`, '--clear-groups'];
  // setpriv is part of util-linux, which no Debian or Ubuntu is without.
  const tether = [...user, `--pdeathsig=${deathSignal.slice(3)}`, '--', command, ...args];
  // A session of its own: Ctrl-C reaches this process alone, which ends the others in their order.
  return spawn('setpriv', tether, { env, stdio, cwd, detached: true });
}

/** True once the process has ended or could not be started. */
export const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

/** Asks the process to end with `signal`, insists with SIGKILL after `graceMs`, and resolves when it is gone. */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  // A stopped process takes its signal only when it goes on.
  child.kill('SIGCONT');
  const patience = new AbortController();
  const impatience = sleep(graceMs, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => false,
  );
  await ended;
  patience.abort();
  await impatience;
}
