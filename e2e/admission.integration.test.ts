import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Container, PodSpec } from '../controller/admission/pod.ts';
import { apiVersion, policyKind } from '../crds/resilience-policy.ts';
import {
  type AdmissionBed,
  must,
  openAdmissionBed,
  restricted,
  serveOtherWebhook,
} from './admission-bed.test-kit.ts';
import { KubeApi, type KubeObject } from './cluster/kube-api.ts';
import { readKubeconfig } from './cluster/kubeconfig.ts';
import { noClusterReason, type TestCluster, testCluster } from './cluster/test-cluster.ts';

// A cluster elsewhere cannot call webhooks of this process.
const given = process.env['E2E_KUBECONFIG'];
const skipped = given === undefined ? noClusterReason() : ' (skipped: E2E_KUBECONFIG is set)';

const app: Container = { name: 'app', image: 'app:1', ...restricted };
let made = 0;
const pod = (more: object = {}, spec: object = {}): object => ({
  metadata: {
    name: `pod-${(made += 1)}`,
    labels: { app: 'orders', 'holdfast.dev/inject': 'true' },
    ...more,
  },
  spec: { containers: [app], ...spec },
});
const policy = (spec: object, name = 'orders') => ({
  apiVersion,
  kind: policyKind,
  metadata: { name },
  spec,
});
const database = (secret: string, more: object = {}) => ({
  postgres: [{ name: 'default', secretRef: { name: secret }, ...more }],
});

describe.skipIf(skipped !== undefined)(`webhooks of a real API server${skipped ?? ''}`, () => {
  let cluster: TestCluster;
  let api: KubeApi;
  let bed: AdmissionBed;
  beforeAll(async () => {
    cluster = await testCluster();
    ({ api } = cluster);
    bed = await openAdmissionBed(cluster);
    await bed.makeNamespace('shop', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    await bed.makeNamespace('net');
    await bed.makeNamespace('kube-system');
    // It takes a moment until the API server knows of webhooks.
    const soon = { timeout: 10_000, interval: 50 };
    await vi.waitUntil(
      async () => socketsOf(await create('shop', pod(), 'dryRun=All')).length === 2,
      soon,
    );
    await vi.waitUntil(async () => {
      await api.call('POST', `${policies('shop')}?dryRun=All`, { body: policy({}) });
      return (await bed.answers())['validate-policies allowed'] !== undefined;
    }, soon);
  });
  afterAll(async () => {
    await bed?.close();
    await cluster?.stop();
  });
  beforeEach(() => {
    bed.policies = [];
    bed.isSynced = true;
  });

  const pods = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
  const policies = (namespace: string): string =>
    `/apis/${apiVersion}/namespaces/${namespace}/resiliencepolicies`;
  const create = (namespace: string, body: object, query = 'fieldValidation=Strict') =>
    must(api, 'POST', `${pods(namespace)}?${query}`, body);
  const refusal = async (namespace: string, body: object): Promise<string | undefined> => {
    const answer = await api.call('POST', pods(namespace), { body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    return answer.body.message;
  };
  const specOf = (object: KubeObject): PodSpec => object['spec'] as PodSpec;
  const socketsOf = (object: KubeObject): string[] =>
    [...(specOf(object).initContainers ?? []), ...specOf(object).containers].map(
      ({ name, volumeMounts = [] }) =>
        `${name} ${volumeMounts.some((mount) => mount.name === 'holdfast-socket')}`,
    );

  test('a labelled pod is stored with its sidecar, and Pod Security takes it as restricted', async () => {
    bed.policies = [
      { ...policy(database('orders-db')), metadata: { name: 'orders', namespace: 'shop' } },
    ];
    const stored = await create('shop', pod());
    expect(socketsOf(stored)).toEqual(['holdfast true', 'app true']);
    const volumes = specOf(stored).volumes?.map(({ name }) => name);
    expect(volumes?.filter((name) => name.startsWith('holdfast-'))).toEqual([
      'holdfast-socket',
      'holdfast-state',
      'holdfast-token',
      'holdfast-secrets',
    ]);
    // Nothing of it talks to the API server.
    const mounts = specOf(stored).initContainers?.[0]?.volumeMounts?.map(({ name }) => name);
    expect(mounts?.filter((name) => !name.startsWith('holdfast-'))).toEqual([]);
    expect(stored).toHaveProperty('metadata.annotations', {
      'holdfast.dev/injected': 'v1',
      'holdfast.dev/secrets': 'orders-db/url',
    });
  });

  test.each([
    ['without the label', 'shop', { labels: { app: 'orders' } }],
    ['that opts out', 'shop', { annotations: { 'holdfast.dev/inject': 'false' } }],
    ['in a reserved namespace', 'kube-system', {}],
  ])('a pod %s gets none', async (_title, namespace, metadata) => {
    const stored = await create(namespace, pod(metadata));
    expect(specOf(stored).initContainers).toBeUndefined();
  });

  test('pods of a reserved namespace are not even asked about', async () => {
    const before = await bed.answers();
    await create('kube-system', pod());
    await create('shop', pod({ labels: {} }));
    expect(await bed.answers()).toEqual(before);
  });

  test('a pod that was injected already is stored as it is', async () => {
    const first = await create('shop', pod());
    const { labels, annotations } = first['metadata'] as { labels: object; annotations: object };
    const again = pod({ labels, annotations }, { ...specOf(first), nodeName: undefined });
    expect(specOf(await create('shop', again))).toEqual(specOf(first));
  });

  test('a pod with hostNetwork needs a port of its own', async () => {
    expect(await refusal('net', pod({}, { hostNetwork: true }))).toContain(
      'holdfast.dev/http-port',
    );
    const annotations = { 'holdfast.dev/http-port': '29464' };
    const stored = await create('net', pod({ annotations }, { hostNetwork: true }));
    expect(specOf(stored).initContainers?.[0]?.ports).toEqual([
      { name: 'holdfast-http', containerPort: 29_464, hostPort: 29_464, protocol: 'TCP' },
    ]);
  });

  test('a pod that shares processes is refused in words for people', async () => {
    expect(await refusal('shop', pod({}, { shareProcessNamespace: true }))).toMatch(
      /^admission webhook "pods.holdfast.dev" denied the request: a pod with shareProcessNamespace gets no sidecar/,
    );
  });

  test("a Job's pod gets the sidecar as an init container that does not keep it from completing", async () => {
    const template = {
      metadata: { labels: { 'holdfast.dev/inject': 'true' } },
      spec: { containers: [app], restartPolicy: 'Never' },
    };
    const jobs = '/apis/batch/v1/namespaces/shop/jobs';
    const job = await must(api, 'POST', jobs, {
      metadata: { name: 'nightly' },
      spec: { template },
    });
    // The Job itself is left alone; its pods have no name yet when they come.
    expect(job).not.toHaveProperty('spec.template.spec.initContainers');
    const stored = await create('shop', {
      ...template,
      metadata: { ...template.metadata, generateName: 'nightly-' },
    });
    expect(specOf(stored).containers.map(({ name }) => name)).toEqual(['app']);
    expect(specOf(stored).initContainers).toMatchObject([
      { name: 'holdfast', restartPolicy: 'Always' },
    ]);
    expect(specOf(stored)['restartPolicy']).toBe('Never');
  });

  test.each(['a-mesh', 'z-mesh'])(
    'a container of the webhook %s has the socket, whoever comes first',
    async (name) => {
      const stop = await serveOtherWebhook(api, bed.tls, { name, namespace: 'shop' });
      try {
        await expect
          .poll(async () => socketsOf(await create('shop', pod(), 'dryRun=All')))
          .toEqual(['holdfast true', 'app true', 'mesh true']);
      } finally {
        await stop();
      }
      await expect
        .poll(async () => socketsOf(await create('shop', pod(), 'dryRun=All')))
        .toEqual(['holdfast true', 'app true']);
    },
  );

  test('a dry run shows the sidecar and stores nothing', async () => {
    const body = pod();
    const shown = await create('shop', body, 'dryRun=All');
    expect(socketsOf(shown)).toEqual(['holdfast true', 'app true']);
    const { name } = shown['metadata'] as { name: string };
    expect((await api.call('GET', `${pods('shop')}/${name}`)).status).toBe(404);
  });

  describe('policies', () => {
    let author: KubeApi;
    const user = 'system:serviceaccount:shop:author';
    beforeAll(async () => {
      const accounts = '/api/v1/namespaces/shop/serviceaccounts';
      await must(api, 'POST', accounts, { metadata: { name: 'author' } });
      const body = await must(api, 'POST', `${accounts}/author/token`, { spec: {} });
      const { token } = body['status'] as { token: string };
      const access = readKubeconfig(cluster.kubeconfig);
      author = new KubeApi({ url: access.url, ca: access.ca, token });
      await permit(
        'policies',
        ['resilience.holdfast.dev'],
        ['resiliencepolicies'],
        ['create', 'update'],
      );
      await permit('secrets', [''], ['secrets'], ['get'], ['mine-db']);
    });
    afterAll(() => author?.close());

    async function permit(
      name: string,
      apiGroups: string[],
      resources: string[],
      verbs: string[],
      resourceNames?: string[],
    ): Promise<void> {
      const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
      const rules = [{ apiGroups, resources, verbs, resourceNames }];
      await must(api, 'POST', `${rbac}/roles`, { metadata: { name }, rules });
      await must(api, 'POST', `${rbac}/rolebindings`, {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: 'author', namespace: 'shop' }],
      });
    }

    test('a secret that the author may not read is refused, by name', async () => {
      const body = policy(database('others-db'));
      const { status, body: answer } = await author.call('POST', policies('shop'), { body });
      expect(status).toBe(403);
      expect(answer.message).toBe(
        `admission webhook "resiliencepolicies.resilience.holdfast.dev" denied the request: spec.postgres[0].secretRef names the Secret "others-db": "${user}" may name it in a policy only with the right to get secrets/others-db in namespace "shop"`,
      );
    });

    test('one that the author may read is taken, and so are limits beside a secret of others', async () => {
      await must(author, 'POST', policies('shop'), policy(database('mine-db'), 'mine'));
      const theirs = await must(
        api,
        'POST',
        policies('shop'),
        policy(database('others-db'), 'theirs'),
      );
      const put = (before: KubeObject, more: object) => {
        const body = { ...policy(database('others-db', more)), metadata: before['metadata'] };
        return author.call('PUT', `${policies('shop')}/theirs`, { body });
      };
      const edited = await put(theirs, { pool: { max: 30 } });
      expect(edited.status).toBe(200);
      expect((await put(edited.body, { tls: { mode: 'Disable' } })).status).toBe(403);
    });

    test('a budget goes by its webhook', async () => {
      const budgets = `/apis/${apiVersion}/connectionbudgets?dryRun=All`;
      await must(api, 'POST', budgets, {
        apiVersion,
        kind: 'ConnectionBudget',
        metadata: { name: 'main' },
        spec: { total: 100, namespaces: { names: ['shop'] } },
      });
      expect(await bed.answers()).toHaveProperty(['validate-budgets allowed'], 1);
    });
  });

  test('a controller that has not seen the policies yet makes no pod without their secrets', async () => {
    bed.isSynced = false;
    expect(await refusal('shop', pod())).toContain('failed calling webhook');
    expect(await bed.answers()).toHaveProperty(['mutate-pods failed'], 1);
  });

  test('bundles that somebody took away are put back', async () => {
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/holdfast';
    const bundle = '/webhooks/0/clientConfig/caBundle';
    await must(api, 'PATCH', path, [{ op: 'remove', path: bundle }]);
    await bed.repairBundles();
    const bundleNow = async (): Promise<string> => {
      const { webhooks } = (await must(api, 'GET', path)) as unknown as {
        webhooks: { clientConfig: { caBundle?: string } }[];
      };
      return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString();
    };
    await expect.poll(bundleNow).toBe(bed.tls.authorities);
  });

  test('without the webhooks no labelled pod is made, and every other one is', async () => {
    await bed.stopWebhooks();
    expect(await refusal('shop', pod())).toContain('failed calling webhook "pods.holdfast.dev"');
    await create('shop', pod({ labels: {} }));
    await create('kube-system', pod());
  });
});
