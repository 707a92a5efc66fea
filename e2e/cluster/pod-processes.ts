import { globSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { killAll, processesOf } from './recorded-processes.ts';

const root = '/sys/fs/cgroup';

/** Processes in pods. Found by their cgroups and not by containerd, which may be dead itself; there is one kubelet a machine. */
export const podProcesses = (): number[] => [
  ...new Set(
    cgroups().flatMap((group) => {
      try {
        const pids = readFileSync(join(group, 'cgroup.procs'), 'utf8');
        return pids.split('\n').filter(Boolean).map(Number);
      } catch {
        return [];
      }
    }),
  ),
];

/** Ends all pods at once, and containerd's shims, which outlive it. */
export async function killPods(folder: string): Promise<void> {
  // Under a hashed name; the folder of a task has it.
  for (const file of globSync(`${folder}/run/io.containerd.runtime.v2.task/*/*/address`)) {
    rmSync(readFileSync(file, 'utf8').replace(/^unix:\/\//, ''), { force: true });
  }
  await killAll(podProcesses);
  await killShims(folder);
}

/** They name the socket of their containerd on the command line. */
export const killShims = (folder: string): Promise<void> =>
  killAll(() => processesOf(folder, ['containerd-shim-runc-v2']));

export function removePodCgroups(): void {
  for (const group of cgroups()) {
    try {
      rmdirSync(group);
    } catch {
      // Somebody else made it, or works in it.
    }
  }
}

/** The deepest first, of each hierarchy. */
function cgroups(): string[] {
  const below = (folder: string): string[] => {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory());
      return [...folders.flatMap(({ name }) => below(join(folder, name))), folder];
    } catch {
      return [];
    }
  };
  const hierarchies = [root, ...readdirSync(root).map((name) => join(root, name))];
  return hierarchies.flatMap((hierarchy) => below(join(hierarchy, 'kubepods')));
}
