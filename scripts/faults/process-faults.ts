import { readdirSync, readFileSync } from 'node:fs';

/** What a program may have at most; the kernel refuses the rest. */
export interface ProcessLimits {
  /** Open file descriptors. */
  readonly files?: number;
  /** Bytes of address space. Programs with a garbage collector reserve far more than they use. */
  readonly addressSpaceBytes?: number;
  /** Bytes of one file that it writes. */
  readonly fileBytes?: number;
}

/** The command that runs another one with limits, by way of `prlimit`, which then is that program: same pid. */
export function limited(
  command: readonly [string, ...string[]],
  { files, addressSpaceBytes, fileBytes }: ProcessLimits,
): [string, ...string[]] {
  const flags = [
    files === undefined ? undefined : `--nofile=${files}:${files}`,
    addressSpaceBytes === undefined ? undefined : `--as=${addressSpaceBytes}`,
    fileBytes === undefined ? undefined : `--fsize=${fileBytes}`,
  ].filter((flag) => flag !== undefined);
  // Part of util-linux, like setpriv.
  return ['prlimit', ...flags, '--', ...command];
}

/** Changes how many files a process that runs may have open; what it has open stays so. */
export const filesLimitCommand = (pid: number, files: number): [string, ...string[]] => [
  'prlimit',
  `--pid=${pid}`,
  // The hard limit stays, so that it can be raised again.
  `--nofile=${files}:`,
];

/** Stops a process and all below it where they are (SIGSTOP): connections stay open, nobody answers. */
export function pauseProcess(pid: number): void {
  // From the top: whoever is stopped starts no others.
  process.kill(pid, 'SIGSTOP');
  for (const child of childrenOf(pid)) pauseProcess(child);
}

/** Lets what `pauseProcess` stopped go on. */
export function resumeProcess(pid: number): void {
  for (const child of childrenOf(pid)) resumeProcess(child);
  signalIfThere(pid, 'SIGCONT');
}

/** The processes whose parent this one is. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // `pid (name) state ppid …`; the name may hold anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
