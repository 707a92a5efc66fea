import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/servers/free-port.ts';
import { binaryPath } from './binaries.ts';
import { makeCertificates, makeKubeletCertificates } from './certificates.ts';
import { apiServerFlags, argumentsOf, etcdFlags, kubeletFlags } from './control-plane-flags.ts';
import { kubeconfigOf, makeIdentities } from './identities.ts';
import { KubeApi } from './kube-api.ts';
import { apiPort, hostIp, nodeAccess } from './node-place.ts';
import type { RecordedProcesses } from './recorded-processes.ts';

/** Starts etcd, API server, controllers and scheduler, and waits until pods can be created. */
export async function startNodeControlPlane(
  folder: string,
  processes: RecordedProcesses,
): Promise<KubeApi> {
  const pki = join(folder, 'pki');
  mkdirSync(pki, { mode: 0o700 });
  makeCertificates(pki);
  makeKubeletCertificates(pki);
  const ca = readFileSync(join(pki, 'ca.crt'), 'utf8');
  const token = makeIdentities(folder, (token) => nodeAccess(ca, token));

  const etcd = `http://127.0.0.1:${await freePort()}`;
  processes.start('etcd', binaryPath('etcd'), argumentsOf(etcdFlags(folder, etcd)));
  const server = { pki, etcd, address: hostIp, port: apiPort };
  const flags = { ...apiServerFlags(server), ...kubeletFlags(pki) };
  processes.start('kube-apiserver', binaryPath('kube-apiserver'), argumentsOf(flags));
  const api = new KubeApi(nodeAccess(ca, token));
  const found = async (path: string): Promise<boolean> =>
    (await api.call('GET', path)).status === 200;
  await processes.until('kube-apiserver', 'it is ready', () => found('/readyz'));
  startControllers(folder, processes);
  // Until the controllers have made them, a pod is refused.
  const namespace = '/api/v1/namespaces/default';
  await processes.until(
    'kube-controller-manager',
    'namespace default has its account and its CA',
    async () =>
      (await found(`${namespace}/serviceaccounts/default`)) &&
      (await found(`${namespace}/configmaps/kube-root-ca.crt`)),
  );
  return api;
}

function startControllers(folder: string, processes: RecordedProcesses): void {
  const pki = join(folder, 'pki');
  const manager = kubeconfigOf(folder, 'controller-manager');
  const managerFlags = {
    kubeconfig: manager,
    // Nobody asks how they are: neither serves anything.
    'secure-port': '0',
    'leader-elect': 'false',
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': join(pki, 'sa.key'),
    'root-ca-file': join(pki, 'ca.crt'),
    'cluster-signing-cert-file': join(pki, 'ca.crt'),
    'cluster-signing-key-file': join(pki, 'ca.key'),
    // With the default of 20 requests a second the controllers hold each other up for 5 s of every start.
    'kube-api-qps': '500',
    'kube-api-burst': '1000',
  };
  const name = 'kube-controller-manager';
  processes.start(name, binaryPath(name), argumentsOf(managerFlags));
  const scheduler = kubeconfigOf(folder, 'scheduler');
  const schedulerFlags = { kubeconfig: scheduler, 'secure-port': '0', 'leader-elect': 'false' };
  processes.start('kube-scheduler', binaryPath('kube-scheduler'), argumentsOf(schedulerFlags));
}
