import { readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** User and system time since it began. */
  readonly cpuUs: number;
  readonly rssMb: number;
}

const microsecondsPerTick = 10_000; // USER_HZ is 100 on Linux

/** CPU time and memory of another process, from /proc; nothing for no process. */
export function processUsage(pid: number | undefined): ProcessUsage {
  if (pid === undefined) return { cpuUs: 0, rssMb: 0 };
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuUs: (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick,
    rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
  };
}
