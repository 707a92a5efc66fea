import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Binary, binaryPath } from '../cluster/binaries.ts';
import { noClusterReason } from '../cluster/test-cluster.ts';
import { toolEnvironment } from '../cluster/tool.ts';

const chart = fileURLToPath(new URL('../../charts/holdfast', import.meta.url));

const needed: readonly Binary[] = ['helm', 'etcd', 'kube-apiserver', 'kubectl'];

/** For the end of the title of tests that are skipped; undefined where there is Helm. */
export const noHelmReason = (): string | undefined => noClusterReason(needed);

/** Runs Helm without a cluster; what it prints. Throws what it complained of. */
export const helm = (...args: readonly string[]): string =>
  execFileSync(binaryPath('helm'), args, {
    env: toolEnvironment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** The chart as a release `holdfast` in `namespace` has it; `values` as `--set-json` takes them. */
export const render = (
  values: Readonly<Record<string, unknown>> = {},
  namespace = 'holdfast-system',
): string =>
  helm(
    'template',
    'holdfast',
    chart,
    `--namespace=${namespace}`,
    ...Object.entries(values).map(([path, value]) => `--set-json=${path}=${JSON.stringify(value)}`),
  );

export const lint = (): string => helm('lint', '--strict', chart);
