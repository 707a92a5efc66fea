import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../scripts/servers/temporary-folder.ts';
import { toolEnvironment } from './tool.ts';

/** Processes that outlive the one that started them, remembered in a folder. */
export class RecordedProcesses {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  logFile(name: string): string {
    return join(this.#folder, 'log', `${name}.log`);
  }

  /** Names of all that were started and not stopped, dead or alive. */
  names(): string[] {
    try {
      return readdirSync(join(this.#folder, 'pids')).toSorted();
    } catch {
      return [];
    }
  }

  start(name: string, program: string, args: readonly string[]): void {
    for (const each of ['pids', 'log']) mkdirSync(join(this.#folder, each), { recursive: true });
    const log = openSync(this.logFile(name), 'a', 0o600);
    // A session of its own: Ctrl-C in the terminal of `up` does not end the node.
    const options = { cwd: '/', env: daemonEnvironment(), detached: true } as const;
    const child = spawn(program, args, { ...options, stdio: ['ignore', log, log] });
    closeSync(log);
    child.on('error', () => {});
    child.unref();
    if (child.pid === undefined) throw new Error(`${program} cannot be started`);
    writeFileSync(this.#pidFile(name), `${child.pid} ${startTimeOf(child.pid)}\n`);
  }

  /** The pid while it is still that process: another one may have been given its number since. */
  pidOf(name: string): number | undefined {
    let recorded: string;
    try {
      recorded = readFileSync(this.#pidFile(name), 'utf8').trim();
    } catch {
      return undefined;
    }
    const pid = Number(recorded.split(' ')[0]);
    return isAlive(pid) && recorded === `${pid} ${startTimeOf(pid)}` ? pid : undefined;
  }

  /** Asks it to end, and insists after a while. */
  async stop(name: string, graceMs = 5_000): Promise<void> {
    const lateAt = performance.now() + graceMs;
    let asked = false;
    for (let pid = this.pidOf(name); pid !== undefined; pid = this.pidOf(name)) {
      if (!asked) signal(pid, 'SIGTERM');
      asked = true;
      if (performance.now() > lateAt) signal(pid, 'SIGKILL');
      await sleep(20);
    }
    rmSync(this.#pidFile(name), { force: true });
  }

  /** Waits until something holds; fails at once, with the end of its log, when process `name` ends. */
  async until(
    name: string,
    what: string,
    holds: () => Promise<boolean>,
    limitMs = 90_000,
  ): Promise<void> {
    const lateAt = performance.now() + limitMs;
    while (!(await holds().catch(() => false))) {
      const ended = this.pidOf(name) === undefined;
      if (ended || performance.now() > lateAt) {
        const why = ended ? `${name} has ended` : `waited ${limitMs / 1_000} s until ${what}`;
        throw new Error(`${why}; the end of its log:\n${this.tailOf(name, 20)}`);
      }
      await sleep(50);
    }
  }

  /** The last lines of its log. */
  tailOf(name: string, lines: number): string {
    try {
      return readFileSync(this.logFile(name), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(-lines)
        .join('\n');
    } catch {
      return '';
    }
  }

  #pidFile(name: string): string {
    return join(this.#folder, 'pids', name);
  }
}

/** Processes of these programs with a path below `folder` among their arguments: whoever recorded them may have been killed first. */
export function processesOf(folder: string, programs: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const program = basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '');
        if (!programs.includes(program)) return false;
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
      } catch {
        return false;
      }
    });
}

/** SIGKILL until the list is empty: a runtime may have been about to start one more. */
export async function killAll(list: () => readonly number[]): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const pids = list().filter(isAlive);
    if (pids.length === 0) return;
    for (const pid of pids) signal(pid, 'SIGKILL');
    await sleep(25);
  }
  throw new Error(`still running after SIGKILL: ${list().join(', ')}`);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Field 22 of stat, counted after the name, which may hold anything. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Nothing of the caller's but where programs are. */
const daemonEnvironment = (): NodeJS.ProcessEnv => ({ PATH: toolEnvironment()['PATH'] });
