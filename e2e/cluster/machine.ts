import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { clusterChains, removeChains } from './iptables-chains.ts';
import { mountsBelow } from './mounts.ts';
import { bridge, hostIp } from './node-place.ts';
import { run } from './tool.ts';

/** How the machine was before a node changed it. */
export interface MachineRecord {
  /** The node's folder. */
  readonly node: string;
  readonly bootId: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly chains: readonly string[];
  /** Folders that were not there. */
  readonly absent: readonly string[];
}

/** In no checkout's and no user's folder: there is one node a machine, and its record outlives its folder. */
const recordFile = '/run/holdfast-node.json';

/** What the kubelet sets, where it differs, and `changeMachine`. */
const sysctls = [
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxbytes',
  'kernel/keys/root_maxkeys',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'net/ipv4/ip_forward',
  'net/bridge/bridge-nf-call-iptables',
];

/** What kubelet, network plugins and containerd's shims use beside the node's own folder, by names that cannot be changed. */
const folders = [
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/log/containers',
  '/usr/libexec/kubernetes',
  '/run/containerd',
  '/run/netns',
];

/** What a node that runs, or was killed, has changed; undefined when none has. */
export function machineRecord(): MachineRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8')) as MachineRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes down how the machine is, then makes the bridge and lets it forward. */
export function changeMachine(node: string): void {
  if (existsSync(`/sys/class/net/${bridge}`)) {
    throw new Error(`${bridge} exists, and nothing says why; "ip link del ${bridge}" removes it`);
  }
  const known = sysctls.filter((key) => existsSync(sysctlFile(key)));
  const record: MachineRecord = {
    node,
    bootId: bootId(),
    sysctls: Object.fromEntries(known.map((key) => [key, readFileSync(sysctlFile(key), 'utf8')])),
    chains: clusterChains(),
    absent: folders.filter((folder) => !existsSync(folder)),
  };
  writeFileSync(`${recordFile}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${recordFile}.new`, recordFile);

  // Before the API server is there, which listens on its address.
  run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  run('ip', ['addr', 'add', `${hostIp}/16`, 'dev', bridge]);
  run('ip', ['link', 'set', bridge, 'up']);
  writeFileSync(sysctlFile('net/ipv4/ip_forward'), '1');
  // Or a pod could reach neither itself nor a pod beside it through a Service.
  const bridged = sysctlFile('net/bridge/bridge-nf-call-iptables');
  if (existsSync(bridged)) writeFileSync(bridged, '1');
}

/** Puts the machine back. The node's processes and mounts are gone already. */
export function restoreMachine(record: MachineRecord): void {
  // The pods' ends of it went with their network namespaces.
  if (existsSync(`/sys/class/net/${bridge}`)) run('ip', ['link', 'del', bridge]);
  removeChains(record.chains);
  // After a reboot they are the machine's own again.
  if (record.bootId === bootId()) {
    for (const [key, value] of Object.entries(record.sysctls)) {
      const file = sysctlFile(key);
      if (existsSync(file) && readFileSync(file, 'utf8') !== value) writeFileSync(file, value);
    }
  }
  removeTraces();
  for (const folder of record.absent) {
    // With a mount in it, somebody else has begun to use it since.
    if (mountsBelow(folder).length === 0) rmSync(folder, { recursive: true, force: true });
  }
  rmSync(recordFile, { force: true });
}

/** Network plugins remember results here, newer than the record where they are ours. */
function removeTraces(): void {
  const results = '/var/lib/cni/results';
  if (!existsSync(results) || !existsSync(recordFile)) return;
  const since = statSync(recordFile).mtimeMs;
  for (const name of readdirSync(results)) {
    const file = join(results, name);
    if (statSync(file).mtimeMs > since) rmSync(file);
  }
}

const sysctlFile = (key: string): string => join('/proc/sys', key);

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
