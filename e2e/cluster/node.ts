import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { holdAlone } from '../../scripts/dev/single-run.ts';
import { startContainerd } from './containerd.ts';
import { kubeconfigOf } from './identities.ts';
import { KubeApi } from './kube-api.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { startKubelet } from './kubelet.ts';
import { changeMachine, machineRecord, restoreMachine } from './machine.ts';
import { unmountBelow } from './mounts.ts';
import { startNodeControlPlane } from './node-control-plane.ts';
import { startDns, startKubeProxy } from './node-network.ts';
import { kubernetesServiceIp, nodeFolder, nodeName } from './node-place.ts';
import { killPods, killShims, podProcesses, removePodCgroups } from './pod-processes.ts';
import { RecordedProcesses, killAll, processesOf } from './recorded-processes.ts';

/** Programs that may outlive their record, when `up` is killed between starting one and writing it down. */
const daemons = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
  'kube-proxy',
  'coredns',
];

export interface NodeStatus {
  readonly state: 'up' | 'down' | 'broken';
  /** Pid by name; undefined when it has ended. */
  readonly processes: ReadonlyMap<string, number | undefined>;
}

const readyFile = (folder: string): string => join(folder, 'ready');

/** Brings a node up, in about 6 s. One that is up stays as it is; one that was killed is cleaned away first, with its objects and images. */
export async function nodeUp(): Promise<'started' | 'was up'> {
  await using _lock = await alone();
  const folder = nodeFolder();
  const record = machineRecord();
  if (record !== undefined && record.node !== folder && isRunning(record.node)) {
    throw new Error(`a node of ${record.node} runs on this machine; there can be one`);
  }
  if ((await nodeStatus()).state === 'up') return 'was up';
  if (record !== undefined) await clean(record.node);
  await clean(folder);
  if (podProcesses().length > 0) throw new Error("another kubelet's pods run on this machine");

  mkdirSync(folder, { recursive: true, mode: 0o700 });
  changeMachine(folder);
  const processes = new RecordedProcesses(folder);
  const api = await startNodeControlPlane(folder, processes);
  try {
    await startNode(folder, processes, api);
  } finally {
    api.close();
  }
  writeFileSync(readyFile(folder), '');
  return 'started';
}

/** Ends the node and puts the machine back; says whether there was something to do. */
export async function nodeDown(): Promise<boolean> {
  await using _lock = await alone();
  const node = machineRecord()?.node ?? nodeFolder();
  const found = machineRecord() !== undefined || existsSync(node);
  await clean(node);
  return found;
}

/** Whether all of it runs and answers. */
export async function nodeStatus(): Promise<NodeStatus> {
  const folder = nodeFolder();
  const recorded = new RecordedProcesses(folder);
  const processes = new Map(recorded.names().map((name) => [name, recorded.pidOf(name)]));
  if (!existsSync(folder)) return { state: 'down', processes };
  const whole = existsSync(readyFile(folder)) && processes.size === daemons.length;
  if (!whole || [...processes.values()].includes(undefined)) return { state: 'broken', processes };
  const api = new KubeApi(readKubeconfig(kubeconfigOf(folder, 'admin')));
  const ready = await nodeIsReady(api).catch(() => false);
  api.close();
  return { state: ready ? 'up' : 'broken', processes };
}

async function startNode(
  folder: string,
  processes: RecordedProcesses,
  api: KubeApi,
): Promise<void> {
  await startContainerd(folder, processes);
  startKubelet(folder, processes);
  startKubeProxy(folder, processes);
  const dns = await startDns(folder, processes);
  await processes.until('kubelet', 'the node is ready', () => nodeIsReady(api));
  const ca = readFileSync(join(folder, 'pki/ca.crt'), 'utf8');
  const service = new KubeApi({ url: `https://${kubernetesServiceIp}`, ca });
  await processes.until('kube-proxy', 'Services can be reached', async () => {
    // Without a token it is refused, but by whom it should be.
    return (await service.call('GET', '/livez')).status > 0;
  });
  service.close();
  await processes.until('coredns', 'it answers', async () => (await fetch(dns)).ok);
}

async function nodeIsReady(api: KubeApi): Promise<boolean> {
  const { status, body } = await api.call('GET', `/api/v1/nodes/${nodeName}`);
  if (status !== 200) return false;
  const node = body as { status?: { conditions?: { type: string; status: string }[] } };
  const conditions = node.status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** First who would start pods again, then the pods, then the rest. Works whatever has been killed, and twice. */
async function clean(folder: string): Promise<void> {
  const processes = new RecordedProcesses(folder);
  const record = machineRecord();
  await Promise.all(
    ['kubelet', 'kube-proxy', 'coredns', 'kube-scheduler'].map((name) => processes.stop(name)),
  );
  if (record?.node === folder) {
    await killPods(folder);
    await processes.stop('containerd');
    await killShims(folder);
  }
  // The API server would wait for its watchers to go; nothing of it is kept.
  await Promise.all(processes.names().map((name) => processes.stop(name, 1_000)));
  await killAll(() => processesOf(folder, daemons));
  unmountBelow(folder);
  if (record?.node === folder) {
    removePodCgroups();
    restoreMachine(record);
  }
  rmSync(folder, { recursive: true, force: true });
}

function isRunning(folder: string): boolean {
  const processes = new RecordedProcesses(folder);
  return processes.names().some((name) => processes.pidOf(name) !== undefined);
}

async function alone(): Promise<AsyncDisposable> {
  try {
    return await holdAlone('holdfast-node');
  } catch (cause) {
    throw new Error('the node is being started or ended by another command', { cause });
  }
}
