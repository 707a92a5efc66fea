import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { budgetDefinition } from '../crds/budget-definition.ts';
import type { PolicyStatus } from '../crds/policy-status.ts';
import { apiVersion, policyKind } from '../crds/resilience-policy.ts';
import { noClusterReason } from '../e2e/cluster/test-cluster.ts';
import { systemClock } from '../platform/clock.ts';
import { type ApiServer, apiServer, eventually } from './kube/api-server.test-kit.ts';
import { type Caches, openCaches } from './kube/caches.ts';
import { type EventRecorder, eventRecorder } from './kube/events.ts';
import { objectsOf } from './kube/objects.ts';
import { type KubeObject, pathOf, resources } from './kube/resource.ts';
import { type PolicyWork, policyWork } from './policy-work.ts';
import { TestCluster } from './reconcile/cluster.test-kit.ts';
import type { SidecarFacts } from './reconcile/pod-progress.ts';

const skipped = noClusterReason();
const namespace = 'holdfast-policy-work';
const guard = { targets: [{ kind: 'Guard', name: 'api' }] };

describe.skipIf(skipped !== undefined)(`a real API server${skipped ?? ''}`, () => {
  let server: ApiServer;
  let caches: Caches;
  let events: EventRecorder;
  let work: PolicyWork;
  let leading: { stop(): Promise<void> };
  const sidecars = new Map<string, SidecarFacts>();
  let tellSidecar: (podUid: string) => void = () => {};
  const faults: unknown[] = [];
  let writes = 0;

  beforeAll(async () => {
    server = await apiServer(namespace);
    await server.cluster.api.establish(budgetDefinition());
    // No controller makes it here, and pods cannot be without.
    await server.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
    const { api } = server;
    const clock = systemClock;
    const random = (): number => 0.5;
    caches = openCaches({
      api,
      clock,
      random,
      relistMs: 60_000,
      onFault: (_, fault) => faults.push(fault),
    });
    events = eventRecorder({
      api,
      clock,
      instance: 'test',
      onFault: (fault) => faults.push(fault),
    });
    const objects = objectsOf(api);
    const { namespaces } = new TestCluster();
    work = policyWork({
      cluster: { ...caches, namespaces, isSynced: () => caches.areSynced },
      objects: {
        ...objects,
        applyStatus: (object, options) => {
          writes += 1;
          return objects.applyStatus(object, options);
        },
      },
      events,
      fleet: {
        sidecar: (podUid) => sidecars.get(podUid),
        onChange: (listener) => {
          tellSidecar = (podUid) => listener({ sidecar: { pod: { podUid } } });
          return () => {};
        },
      },
      hasPrometheusRules: () => false,
      registry: new Registry(),
      clock,
      random,
      onFault: (_policy, fault) => faults.push(fault),
    });
    await caches.synced;
    leading = work.lead();
  });
  afterAll(async () => {
    await leading?.stop();
    await events?.stop();
    await caches?.stop();
    await server?.stop();
  });

  const policies = pathOf(resources.policies, { namespace });
  const create = (name: string, spec: object) =>
    server.create<KubeObject>(policies, { apiVersion, kind: policyKind, metadata: { name }, spec });
  const read = (name: string) =>
    server.api.call<KubeObject & { status?: PolicyStatus }>({
      method: 'GET',
      path: `${policies}/${name}`,
    });
  const is = async (name: string, type: string, wanted: string): Promise<boolean> => {
    const { status } = await read(name);
    const found = status?.conditions?.find((condition) => condition.type === type);
    return `${found?.status}/${found?.reason}` === wanted;
  };
  const configMaps = async (): Promise<string[]> => {
    const path = pathOf(resources.configMaps, { namespace });
    const query = { labelSelector: 'app.kubernetes.io/managed-by=holdfast' };
    const { items } = await server.api.call<{ items: KubeObject[] }>({
      method: 'GET',
      path,
      query,
    });
    return items.map(({ metadata }) => metadata.name);
  };

  test('a policy gets its status, its objects and an event, each once', async () => {
    const pod = await server.create<KubeObject>(pathOf(resources.pods, { namespace }), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'orders-1', labels: { app: 'orders', 'holdfast.dev/inject': 'true' } },
      spec: { containers: [{ name: 'app', image: 'app' }], automountServiceAccountToken: false },
    });
    const uid = pod.metadata.uid ?? '';
    await create('old', guard);
    await eventually(() => is('old', 'Programmed', 'Unknown/NotConnected'));
    const { version = '' } = work.effective.snapshotOf(uid) ?? {};
    sidecars.set(uid, { applied: version, rejected: undefined, restartRequired: ['a secret'] });
    tellSidecar(uid);
    await eventually(() => is('old', 'Programmed', 'True/Programmed'));
    const { status } = await read('old');
    expect(status).toMatchObject({
      observedGeneration: 1,
      pods: { selected: 1, connected: 1, programmed: 1, rejecting: 0, restartRequired: 1 },
      restarts: [{ pod: 'orders-1', message: 'a secret' }],
    });
    expect(await configMaps()).toEqual(['holdfast-old-dashboards', 'holdfast-old-rules']);

    // Nothing of what the API server makes of it wakes it for another write.
    const before = writes;
    tellSidecar(uid);
    await systemClock.sleep(600);
    expect(writes).toBe(before);
    await events.stop();
    const path = pathOf(resources.events, { namespace });
    const { items } = await server.api.call<{ items: { reason: string }[] }>({
      method: 'GET',
      path,
    });
    expect(items.map(({ reason }) => reason).toSorted()).toEqual(['Programmed', 'RestartRequired']);

    // What is no longer so is taken out of the status.
    sidecars.set(uid, { applied: version, rejected: undefined, restartRequired: [] });
    tellSidecar(uid);
    await eventually(async () => (await read('old')).status?.restarts === undefined);
    expect(faults).toEqual([]);
  });

  test('the younger of two is told, until the older is gone', async () => {
    // Ages are in whole seconds.
    await systemClock.sleep(1_100);
    await create('young', guard);
    await eventually(() => is('young', 'Conflicted', 'True/NamedTwice'));
    const { status } = await read('young');
    const conflicted = status?.conditions?.find(({ type }) => type === 'Conflicted');
    expect(conflicted?.message).toContain('the older policy "old" has it in spec.targets[0].name');
    await server.api.call({ method: 'DELETE', path: `${policies}/old` });
    await eventually(() => is('young', 'Accepted', 'True/Accepted'));
  });

  test('objects go when a policy turns empty, but none that somebody else owns', async () => {
    const name = 'holdfast-turning-rules';
    await create('turning', { targets: [{ kind: 'Guard', name: 'other' }] });
    await eventually(async () => (await configMaps()).includes(name));
    await server.api.call({
      method: 'PATCH',
      path: pathOf(resources.configMaps, { namespace, name: 'holdfast-turning-dashboards' }),
      contentType: 'application/merge-patch+json',
      body: { metadata: { ownerReferences: null } },
    });
    await server.api.call({
      method: 'PATCH',
      path: `${policies}/turning`,
      contentType: 'application/merge-patch+json',
      body: { spec: { targets: null } },
    });
    await eventually(async () => !(await configMaps()).includes(name));
    expect(await configMaps()).toContain('holdfast-turning-dashboards');
  });

  test('an object of somebody else is left as it is, and the fault says which', async () => {
    const name = 'holdfast-taken-rules';
    const data = { 'rules.yaml': 'mine' };
    const maps = pathOf(resources.configMaps, { namespace });
    const metadata = { name };
    await server.create(maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    await create('taken', { targets: [{ kind: 'Guard', name: 'taken' }] });
    const told = (): boolean =>
      faults.some((fault) => String(fault).includes(`${namespace}/${name} is not Holdfast's`));
    await eventually(told);
    expect(await is('taken', 'Accepted', 'True/Accepted')).toBe(true);
    const found = await server.api.call({ method: 'GET', path: `${maps}/${name}` });
    expect(found).toMatchObject({ data });
  });
});
