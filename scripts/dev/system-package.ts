import { existsSync } from 'node:fs';
import { runCommand } from './run-command.ts';

/** Installs a package of the system when that can be done without asking anybody; says whether it is there now. */
export async function installSystemPackage(name: string, signal?: AbortSignal): Promise<boolean> {
  const root = await asRoot();
  if (root === undefined || !existsSync('/usr/bin/apt-get')) return false;
  const run = async (...words: string[]): Promise<boolean> => {
    const [command = '', ...args] = [...root, ...words];
    return (await runCommand(command, args, { signal })).succeeded;
  };
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const install = [...apt, 'install', '-y', '--no-install-recommends', name];
  // A machine that has lists of packages is spared the update.
  const done =
    (await run(...install)) || ((await run(...apt, 'update')) && (await run(...install)));
  return done;
}

/** Installs Redis, but not the server for the whole machine that its package starts: nobody asked for that one. */
export async function installRedis(signal?: AbortSignal): Promise<boolean> {
  const done = await installSystemPackage('redis-server', signal);
  const root = await asRoot();
  if (done && root !== undefined && existsSync('/run/systemd/system')) {
    const [command, ...args] = [...root, 'systemctl', 'disable', '--now', 'redis-server'];
    await runCommand(command, args, { signal });
  }
  return done;
}

/** What to put before a command that root has to run, or undefined when somebody would have to be asked. */
async function asRoot(): Promise<string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const { succeeded } = await runCommand('sudo', ['-n', 'true']);
  return succeeded ? ['sudo', '-n'] : undefined;
}
