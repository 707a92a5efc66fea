import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { hostIp, podNetwork, serviceNetwork } from './node-place.ts';

interface ToolOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program of the system to its end; what it prints. Throws with what it complained of. */
export function run(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: ToolOptions = {},
): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    env: { ...toolEnvironment(), ...env },
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  const why = error?.message ?? (stderr.trim() || `ended with ${status ?? signal}`);
  throw new Error(`${program} ${args.join(' ')}: ${why}`);
}

/** PATH with the folders of root's programs, which not every shell has; the cluster is not reached through a proxy. */
export function toolEnvironment(): Record<string, string | undefined> {
  const { PATH = '', NO_PROXY = '' } = process.env;
  const folders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];
  const direct = [NO_PROXY, hostIp, podNetwork, serviceNetwork, '127.0.0.1'].filter(Boolean);
  return {
    ...process.env,
    PATH: [PATH, ...folders].join(delimiter),
    NO_PROXY: direct.join(','),
    no_proxy: direct.join(','),
  };
}
