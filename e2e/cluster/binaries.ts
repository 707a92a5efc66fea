import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const kubernetes = '1.34.4';

/** Kubernetes programs for tests, and the versions that are built. A change here builds them anew. */
export const versions = {
  // Debian's 3.4 would do for the API server, but this is what Kubernetes 1.34 is tested with.
  etcd: '3.6.16',
  'kube-apiserver': kubernetes,
  kubectl: kubernetes,
  'kube-controller-manager': kubernetes,
  'kube-scheduler': kubernetes,
  kubelet: kubernetes,
  'kube-proxy': kubernetes,
  coredns: '1.15.0',
  helm: '3.22.0',
  // Of pause/main.go.
  pause: '1',
} as const;

export type Binary = keyof typeof versions;

/** What an API server takes in which nothing runs. */
export const controlPlaneBinaries: readonly Binary[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** What a node takes, the slowest to build first. */
export const nodeBinaries: readonly Binary[] = [
  'kube-apiserver',
  'coredns',
  'helm',
  'kube-controller-manager',
  'etcd',
  'kubectl',
  'kubelet',
  'kube-scheduler',
  'kube-proxy',
  'pause',
];

/** What to type where they are missing. */
export const buildLine = 'node e2e/cluster/build.ts';

/** Programs, and the node that runs, of every checkout of this user. */
export const clusterHome = (): string =>
  process.env['CLUSTER_HOME'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast-cluster');

/** Where the programs are kept: CI may cache it. */
export const binariesFolder = (): string => join(clusterHome(), 'bin');

export const binaryPath = (binary: Binary): string => join(binariesFolder(), binary);

/** Written last, so that a build that was interrupted is done again. */
export const stampPath = (binary: Binary): string => join(binariesFolder(), `.${binary}.version`);

/** There while the last attempt to build something failed: no registry can be reached, say. */
export const failurePath = (): string => join(binariesFolder(), '.failed');

/** Whether the pinned version is there. */
export function isBuilt(binary: Binary): boolean {
  try {
    return (
      isExecutable(binaryPath(binary)) &&
      readFileSync(stampPath(binary), 'utf8').trim() === versions[binary]
    );
  } catch {
    return false;
  }
}

/** The Go tool in PATH or where its installer puts it, or undefined. */
export function goProgram(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin'];
  return folders.map((folder) => join(folder, 'go')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
