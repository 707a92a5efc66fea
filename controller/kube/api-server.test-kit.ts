import { systemClock } from '../../platform/clock.ts';
import { policyDefinition } from '../../crds/custom-resource-definition.ts';
import { type TestCluster, testCluster } from '../../e2e/cluster/test-cluster.ts';
import { type Access, kubeconfigAccess } from './access.ts';
import { type KubeApi, openKubeApi } from './api.ts';
import { pathOf, resources } from './resource.ts';

/** A real API server that knows policies, and a namespace of one's own on it. */
export interface ApiServer {
  readonly access: Access;
  readonly api: KubeApi;
  readonly cluster: TestCluster;
  readonly namespace: string;
  /** What `kubectl create -f -` does; fails when it does. */
  create<Item = unknown>(path: string, body: object): Promise<Item>;
  stop(): Promise<void>;
}

export async function apiServer(namespace: string): Promise<ApiServer> {
  const cluster = await testCluster();
  await cluster.api.establish(policyDefinition());
  const access = await kubeconfigAccess(cluster.kubeconfig, systemClock);
  const api = openKubeApi(access, systemClock);
  const create = <Item>(path: string, body: object): Promise<Item> =>
    api.call<Item>({ method: 'POST', path, body });
  await create(pathOf(resources.namespaces), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  return {
    access,
    api,
    cluster,
    namespace,
    create,
    stop: async () => {
      await api.call({
        method: 'DELETE',
        path: pathOf(resources.namespaces, { name: namespace }),
      });
      await api.close();
      await cluster.stop();
    },
  };
}

/** Waits until it is so; fails after 20 s. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const lateAtMs = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > lateAtMs) throw new Error('waited 20 s for it');
    await systemClock.sleep(20);
  }
}
