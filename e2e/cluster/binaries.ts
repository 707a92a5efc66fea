import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Kubernetes programs for tests, and the versions that are built. A change here builds them anew. */
export const versions = {
  etcd: '3.6.16',
  'kube-apiserver': '1.34.4',
  kubectl: '1.34.4',
} as const;

export type Binary = keyof typeof versions;

export const controlPlaneBinaries: readonly Binary[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** What to type where they are missing. */
export const buildLine = 'node e2e/cluster/build.ts';

/** Where they are kept for every checkout of this user: CI may cache it. */
export const binariesFolder = (): string =>
  join(
    process.env['CLUSTER_HOME'] ??
      join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast-cluster'),
    'bin',
  );

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
