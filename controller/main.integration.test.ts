import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { budgetDefinition } from '../crds/budget-definition.ts';
import type { PolicyStatus } from '../crds/policy-status.ts';
import { apiVersion, policyKind } from '../crds/resilience-policy.ts';
import { kubeconfigText, readKubeconfig } from '../e2e/cluster/kubeconfig.ts';
import { noClusterReason } from '../e2e/cluster/test-cluster.ts';
import { version } from '../platform/version.ts';
import { freePort } from '../scripts/servers/free-port.ts';
import { type ControllerProcess, startController } from './controller-process.test-kit.ts';
import { SidecarClient } from './discovery/sidecar-client.test-kit.ts';
import { type ApiServer, apiServer, eventually } from './kube/api-server.test-kit.ts';
import { holderOf, type Lease } from './kube/lease-record.ts';
import { objectsOf } from './kube/objects.ts';
import { type KubeObject, pathOf, resources } from './kube/resource.ts';
import { secretStore } from './kube/secret-store.ts';

/** The controller as a process of its own: arguments, exit codes, signals, and all its parts together. */

const running = new Set<ControllerProcess>();
const start = (...args: Parameters<typeof startController>): ControllerProcess => {
  const started = startController(...args);
  running.add(started);
  return started;
};
afterEach(async () => {
  for (const each of running) await each.end('SIGKILL');
  running.clear();
});

describe('arguments', () => {
  test('--version and --help say so, and ask for no setting', async () => {
    const [saysVersion, saysHelp] = [start(['--version']), start(['--help'])];
    expect([await saysVersion.exit, saysVersion.output()]).toEqual([0, `${version}\n`]);
    expect(await saysHelp.exit).toBe(0);
    for (const each of ['--check-config', '--version', 'SIGTERM', 'docs/controller-settings.md']) {
      expect(saysHelp.output()).toContain(each);
    }
  });

  test('others are refused with the help, and wrong settings with one line', async () => {
    const unknown = start(['--frobnicate']);
    const wrong = start(['--check-config'], { HOLDFAST_CONTROLLER_KUBECONFIG: 'here' });
    expect(await unknown.exit).toBe(64);
    expect(unknown.output()).toMatch(/^unknown arguments: --frobnicate\n\nholdfast controller/);
    expect([await wrong.exit, wrong.output()]).toEqual([
      78,
      'HOLDFAST_CONTROLLER_KUBECONFIG must be an absolute path\n',
    ]);
  });
});

test('without an API server it waits, lives, is not ready, and ends when it is asked to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const url = `https://127.0.0.1:${await freePort()}`;
  writeFileSync(kubeconfig, kubeconfigText({ url, token: 'none' }));
  const { child, output, exit } = start([], {
    HOLDFAST_CONTROLLER_KUBECONFIG: kubeconfig,
    HOLDFAST_CONTROLLER_HTTP_PORT: '0',
  });
  await eventually(() => output().includes('a watch failed'));
  const { httpPort } = JSON.parse(output().split('\n')[0] ?? '') as { httpPort: number };
  const status = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${httpPort}${path}`)).status;
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 503]);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
  rmSync(folder, { recursive: true });
});

const skipped = noClusterReason();
const namespace = 'holdfast-main-test';

describe.skipIf(skipped !== undefined)(`a real API server${skipped ?? ''}`, () => {
  let server: ApiServer;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hf-'));
    server = await apiServer(namespace);
    await server.cluster.api.establish(budgetDefinition());
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    for (const path of [rightsPaths['ClusterRole'], rightsPaths['ClusterRoleBinding']]) {
      await server.cluster.api.call('DELETE', `${path}/${namespace}`);
    }
    await server.cluster.api.call('DELETE', pathOf(resources.budgets, { name: 'main-test' }));
    await server?.stop();
  });

  const replica = (name: string, kubeconfig = server.cluster.kubeconfig): ControllerProcess =>
    start([], {
      HOLDFAST_CONTROLLER_KUBECONFIG: kubeconfig,
      HOLDFAST_CONTROLLER_NAMESPACE: namespace,
      HOLDFAST_CONTROLLER_POD_NAME: name,
      HOLDFAST_CONTROLLER_ADVERTISE_HOST: '127.0.0.1',
      HOLDFAST_CONTROLLER_HTTP_PORT: '0',
      HOLDFAST_CONTROLLER_DISCOVERY_PORT: '0',
      HOLDFAST_CONTROLLER_WEBHOOK_PORT: '0',
    });
  const leader = async () => {
    const where = { namespace, name: 'holdfast-controller' };
    const lease = await objectsOf(server.api).get<Lease>(resources.leases, where);
    return lease && holderOf(lease);
  };
  const leads = async (name: string): Promise<boolean> =>
    (await leader())?.identity.startsWith(`${name}_`) === true;
  const ready = async (port: number): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
  const statusOf = async (port: number, path: string): Promise<number | undefined> => {
    const asked = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false });
    const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };

  test('a leader that is killed is replaced within 15 s, one that is asked to stop within 4 s', async () => {
    const a = replica('a');
    await a.serving();
    await eventually(() => leads('a'));
    const b = replica('b');
    const { httpPort, discoveryPort, webhookPort } = await b.serving();
    await eventually(() => ready(httpPort));
    expect(await leads('a')).toBe(true);

    const killedAtMs = performance.now();
    a.child.kill('SIGKILL');
    await eventually(() => leads('b'));
    expect(performance.now() - killedAtMs).toBeLessThan(15_000);
    expect((await leader())?.address).toBe(`127.0.0.1:${discoveryPort}`);

    const c = replica('c');
    await c.serving();
    const askedAtMs = performance.now();
    b.child.kill('SIGTERM');
    // The API server may not know yet that it stops.
    await sleep(1_500);
    expect(await ready(httpPort)).toBe(false);
    expect(await statusOf(webhookPort, '/none')).toBe(404);
    await eventually(() => leads('c'));
    expect(performance.now() - askedAtMs).toBeLessThan(4_000);
    expect(await b.exit).toBe(0);
  });

  test('a pod with a token gets its policy, its word is in the status, and its sessions are granted', async () => {
    await server.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'shop' },
    });
    const pod = await server.create<KubeObject>(pathOf(resources.pods, { namespace }), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'shop-1', labels: { app: 'shop', 'holdfast.dev/inject': 'true' } },
      spec: {
        serviceAccountName: 'shop',
        automountServiceAccountToken: false,
        containers: [{ name: 'app', image: 'app' }],
      },
    });
    await server.create(pathOf(resources.policies, { namespace }), {
      apiVersion,
      kind: policyKind,
      metadata: { name: 'shop' },
      spec: {
        selector: { matchLabels: { app: 'shop' } },
        targets: [{ kind: 'Guard', name: 'api', timeout: { totalMs: 900 } }],
      },
    });
    await server.create(pathOf(resources.budgets), {
      apiVersion,
      kind: 'ConnectionBudget',
      metadata: { name: 'main-test' },
      spec: { total: 20, floor: 2, leaseMs: 2_000, namespaces: { names: [namespace] } },
    });
    const { status } = await server.create<{ status: { token: string } }>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/shop/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: ['holdfast-controller'],
          boundObjectRef: {
            apiVersion: 'v1',
            kind: 'Pod',
            name: 'shop-1',
            uid: pod.metadata.uid,
          },
        },
      },
    );

    const controller = replica('d', await kubeconfigOfChart());
    const { discoveryPort } = await controller.serving();
    const secret = secretStore(server.api, namespace, 'holdfast-controller-tls');
    const stored = await secret.read(new AbortController().signal);
    const client = new SidecarClient({
      port: discoveryPort,
      tlsName: `holdfast-controller.${namespace}.svc`,
      authorities: stored?.data['ca.crt'],
      token: status.token,
    });
    client.send({ hello: { boot: 1, version, policyVersion: '' } });
    await eventually(() => client.messages.some(({ policy }) => policy));
    const snapshot = client.messages.findLast(({ policy }) => policy)?.policy;
    expect(snapshot?.policies).toHaveLength(1);
    expect(JSON.parse(snapshot?.policies[0]?.manifest ?? '')).toMatchObject({
      metadata: { name: 'shop', namespace },
      spec: { targets: [{ kind: 'Guard', name: 'api', timeout: { totalMs: 900 } }] },
    });

    client.send({ report: { version: snapshot?.version ?? '' } });
    await eventually(async () => {
      const path = pathOf(resources.policies, { namespace, name: 'shop' });
      const policy = await server.api.call<{ status?: PolicyStatus }>({ method: 'GET', path });
      const { conditions = [], pods } = policy.status ?? {};
      const programmed = conditions.find(({ type }) => type === 'Programmed');
      return programmed?.status === 'True' && pods?.programmed === 1;
    });

    await server.api.call({
      method: 'PATCH',
      path: pathOf(resources.policies, { namespace, name: 'shop' }),
      contentType: 'application/merge-patch+json',
      body: { spec: { targets: null } },
    });
    await eventually(async () => {
      const made = await objectsOf(server.api).list(resources.configMaps, {
        namespace,
        labelSelector: 'app.kubernetes.io/managed-by=holdfast',
      });
      return made.length === 0;
    });

    let number = 0;
    await eventually(() => {
      number += 1;
      client.send({ heartbeat: { budget: 'main-test', number, demand: 5, address: '10.0.0.1' } });
      return client.messages.some(({ grant }) => grant?.floor === 2);
    });
    client.close();
    expect(controller.output()).not.toContain('lacks a right');
    expect(controller.output()).not.toContain('"level":"error"');
  });

  /** Rights as the chart gives them, and no others. */
  async function kubeconfigOfChart(): Promise<string> {
    const golden = new URL('../charts/holdfast/golden/default.yaml', import.meta.url);
    // What is in no namespace may be there already, for a controller in earnest.
    const text = readFileSync(golden, 'utf8')
      .replaceAll('holdfast-system', namespace)
      .replace(/(kind: ClusterRole(Binding)?\nmetadata:\n  name: ).+/g, `$1${namespace}`)
      .replace(/(kind: ClusterRole\n  name: ).+/g, `$1${namespace}`);
    const objects = parseAllDocuments(text).map((each) => each.toJS() as KubeObject | null);
    for (const object of objects) {
      const path = rightsPaths[object?.kind ?? ''];
      if (object === null || path === undefined) continue;
      const { name } = object.metadata;
      await server.api.call({
        method: 'PATCH',
        path: `${path}/${name}`,
        query: { fieldManager: 'test', force: true },
        contentType: 'application/apply-patch+yaml',
        body: object,
      });
    }
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/holdfast-controller/token`;
    const { status } = await server.create<{ status: { token: string } }>(account, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const { url, ca } = readKubeconfig(server.cluster.kubeconfig);
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, kubeconfigText({ url, ca, token: status.token }), { mode: 0o600 });
    return path;
  }
});

const rights = '/apis/rbac.authorization.k8s.io/v1';
const rightsPaths: Readonly<Record<string, string>> = {
  ServiceAccount: `/api/v1/namespaces/${namespace}/serviceaccounts`,
  ClusterRole: `${rights}/clusterroles`,
  ClusterRoleBinding: `${rights}/clusterrolebindings`,
  Role: `${rights}/namespaces/${namespace}/roles`,
  RoleBinding: `${rights}/namespaces/${namespace}/rolebindings`,
};
