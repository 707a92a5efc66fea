import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFolder } from './node-place.ts';
import { podProcesses } from './pod-processes.ts';
import { processesOf } from './recorded-processes.ts';
import { run } from './tool.ts';

const programs = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
const nodePrograms = ['containerd', 'containerd-shim-runc-v2', 'kubelet', 'kube-proxy', 'coredns'];
const sysctlFolders = ['kernel', 'kernel/keys', 'vm', 'net/ipv4', 'net/bridge', 'net/netfilter'];
/** They count, or do something when they are written. */
const unsteady = /conntrack_count|compact_memory|drop_caches|random|ns_last_pid|dentry|inode|pty/;
const folders = ['/var/lib/kubelet', '/var/lib/cni', '/var/log/containers', '/run/containerd'];

/** What `down` leaves as it was before `up`, a line for each thing. */
export function machineSnapshot(): string[] {
  return [
    ...lines('link', run('ip', ['-o', 'link'])).map((line) => line.split(':')[1] ?? ''),
    ...lines('address', run('ip', ['-o', 'addr'])).map((line) => {
      const [, name, family, address] = line.split(/\s+/);
      return `address ${name} ${family} ${address}`;
    }),
    ...['iptables-save', 'ip6tables-save'].flatMap((program) =>
      lines(program, run(program, [])).filter((line) => / (?:-A |:\S+ -$)/.test(line)),
    ),
    ...lines('mount', readFileSync('/proc/mounts', 'utf8')).map((line) =>
      line.split(' ').slice(0, 4).join(' '),
    ),
    ...sysctlFolders.flatMap(sysctls),
    ...folders.filter(existsSync).map((folder) => `folder ${folder}`),
    ...podProcesses().map((pid) => `process of a pod ${pid}`),
    ...processesOf(nodeFolder(), [...programs, ...nodePrograms]).map((pid) => `process ${pid}`),
  ].toSorted();
}

/** What is in one of them only, with + or -. */
export function snapshotDifference(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}

const lines = (subject: string, text: string): string[] =>
  text
    .split('\n')
    .filter(Boolean)
    // Chains have counters.
    .map((line) => `${subject} ${line.replace(/ \[\d+:\d+\]$/, '')}`);

function sysctls(folder: string): string[] {
  const path = join('/proc/sys', folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile() || unsteady.test(entry.name)) return [];
    try {
      return [`sysctl ${folder}/${entry.name} ${readFileSync(join(path, entry.name), 'utf8')}`];
    } catch {
      // Some can only be written.
      return [];
    }
  });
}
