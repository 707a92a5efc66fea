import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { webhookConfigurations } from '../../controller/admission/webhook-configurations.ts';
import type { KubeObject } from '../cluster/kube-api.ts';
import { type TestCluster, testCluster } from '../cluster/test-cluster.ts';
import { lint, noHelmReason, render } from './render.test-kit.ts';

const skipped = noHelmReason();

interface Manifest extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

const sets: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  default: {},
  'one-replica': { replicas: 1, 'crds.install': false },
  'everything-on': {
    'crds.install': false,
    'networkPolicy.enabled': true,
    'serviceMonitor.enabled': true,
    migrations: [{ name: 'orders', secretRef: { name: 'orders-owner', key: 'dsn' } }],
    imagePullSecrets: [{ name: 'registry' }],
  },
  'own-certificates': { 'crds.install': false, 'certificates.secretName': 'holdfast-tls' },
  'own-images': {
    'crds.install': false,
    'controller.image': { repository: 'example.test/controller', tag: 'v9', pullPolicy: 'Always' },
    'sidecar.image': { repository: 'example.test/sidecar', tag: 'v9', pullPolicy: 'Always' },
    'sidecar.user': 'namespace',
    'webhooks.reservedNamespaces': ['kube-system', 'platform'],
  },
};

describe.skipIf(skipped !== undefined)(`the chart${skipped ?? ''}`, () => {
  test('is without fault for the linter', () => {
    expect(lint()).toContain('0 chart(s) failed');
  });

  test('names that look like numbers stay names', () => {
    const secretRef = { name: '12', key: '1e3' };
    const manifests = manifestsOf(
      render({
        'webhooks.reservedNamespaces': ['123'],
        'certificates.secretName': '0x1',
        'controller.priorityClassName': '7',
        migrations: [{ name: 'orders', secretRef }],
      }),
    );
    const text = JSON.stringify(manifests);
    for (const part of ['"123"', '"secretName":"0x1"', '"priorityClassName":"7"', '"key":"1e3"']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('"name":"12"');
    expect(text).toContain('"name":"HOLDFAST_CONTROLLER_RESERVED_NAMESPACES","value":"123"');
  });

  // New ones are written by: npx vitest run --project integration e2e/chart -u
  test.each(Object.keys(sets))('with values "%s" it gives what is in golden/', async (name) => {
    const golden = new URL(`../../charts/holdfast/golden/${name}.yaml`, import.meta.url);
    // The CRDs are compared with their schemas already.
    const text = render({ ...sets[name], 'crds.install': false });
    await expect(text).toMatchFileSnapshot(fileURLToPath(golden));
  });

  test.each([
    ['replicas', 0, 'replicas'],
    ['replica', 2, 'replica'],
    ['sidecar.user', '0', 'user'],
    ['controller.logLevel', 'loud', 'logLevel'],
    ['migrations', [{ name: 'Orders', secretRef: { name: 'x' } }], 'name'],
    ['webhooks.reservedNamespaces', [], 'reservedNamespaces'],
  ])('refuses %s=%j, and names it', (path, value, named) => {
    expect(() => render({ [path]: value })).toThrow(named);
  });

  test('installs the webhooks that the controller answers', () => {
    const reservedNamespaces = ['kube-system', 'kube-public', 'kube-node-lease', 'holdfast-system'];
    const service = { name: 'holdfast-controller', namespace: 'holdfast-system', port: 9443 };
    const wanted = webhookConfigurations({
      name: 'holdfast-controller',
      reservedNamespaces,
      clientConfig: (path) => ({ service: { ...service, path } }),
    });
    const rendered = manifestsOf(render({ 'crds.install': false }))
      .filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      .map(({ apiVersion, kind, metadata: { name }, webhooks }) => {
        return { apiVersion, kind, metadata: { name }, webhooks };
      });
    expect(rendered).toEqual(wanted);
  });

  describe('on a real API server', () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await testCluster();
      const call = cluster.api.call.bind(cluster.api);
      await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'holdfast-system' } } });
      // Controllers make it elsewhere.
      const accounts = '/api/v1/namespaces/holdfast-system/serviceaccounts';
      await call('POST', accounts, { body: { metadata: { name: 'default' } } });
      for (const manifest of manifestsOf(render())) {
        // Hooks come and go.
        if (manifest.kind !== 'Pod') await applied(manifest);
      }
    });
    afterAll(() => cluster?.stop());

    const plurals: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies' };
    async function applied(manifest: Manifest, dryRun = ''): Promise<void> {
      const { apiVersion, kind, metadata } = manifest;
      const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
      const within = metadata.namespace === undefined ? '' : `namespaces/${metadata.namespace}/`;
      const path = `${root}/${within}${plural}/${metadata.name}`;
      const query = `fieldManager=helm&force=true&fieldValidation=Strict${dryRun}`;
      const contentType = 'application/apply-patch+yaml';
      const answer = await cluster.api.call('PATCH', `${path}?${query}`, {
        body: manifest,
        contentType,
      });
      expect(`${kind} ${answer.status} ${answer.status > 201 ? answer.body.message : ''}`).toMatch(
        /^\w+ 20[01] $/,
      );
    }

    test.each(Object.keys(sets))(
      'every object of values "%s" is taken, no field unknown',
      async (name) => {
        const manifests = manifestsOf(render({ ...sets[name], 'crds.install': false }));
        // The CRDs of the Prometheus operator are not there.
        const known = manifests.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.'));
        expect(known.length).toBeGreaterThan(8);
        for (const manifest of known) await applied(manifest, '&dryRun=All');
      },
    );

    /** `verb resource[/name]@namespace`, of the core group or `resource.group`; without `@` in the whole cluster. */
    async function mayController(what: string): Promise<boolean> {
      const [, verb, resource, group = '', subresource, name, namespace] =
        /^(\w+) (\w+)(?:\.([\w.]+))?(?:#(\w+))?(?:\/([-\w]+))?(?:@([-\w]+))?$/.exec(what) ?? [];
      const resourceAttributes = { verb, resource, group, subresource, name, namespace };
      const { body } = await cluster.api.call(
        'POST',
        '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        {
          body: {
            spec: {
              user: 'system:serviceaccount:holdfast-system:holdfast-controller',
              groups: ['system:serviceaccounts', 'system:authenticated'],
              resourceAttributes,
            },
          },
        },
      );
      return (body as { status?: { allowed?: boolean } }).status?.allowed === true;
    }

    const own = 'resilience.holdfast.dev';
    const hooks = 'mutatingwebhookconfigurations.admissionregistration.k8s.io';
    test.each([
      `list resiliencepolicies.${own}`,
      `watch resiliencepolicies.${own}@default`,
      `get connectionbudgets.${own}/orders`,
      `patch resiliencepolicies.${own}#status@default`,
      `update connectionbudgets.${own}#status`,
      `update resiliencepolicies.${own}#finalizers@default`,
      'list pods',
      'watch namespaces',
      'create events.events.k8s.io@default',
      'patch configmaps@default',
      'delete prometheusrules.monitoring.coreos.com@default',
      'create tokenreviews.authentication.k8s.io',
      'create subjectaccessreviews.authorization.k8s.io',
      `patch ${hooks}/holdfast-controller`,
      'create leases.coordination.k8s.io@holdfast-system',
      'update leases.coordination.k8s.io/holdfast-controller@holdfast-system',
      'get secrets/holdfast-controller-tls@holdfast-system',
    ])('the controller may %s', async (what) => {
      expect(await mayController(what)).toBe(true);
    });

    test.each([
      'get secrets/orders@default',
      'list secrets',
      'list secrets@default',
      'list secrets@holdfast-system',
      'watch secrets@holdfast-system',
      'get secrets/other@holdfast-system',
      'create secrets@default',
      'delete secrets/holdfast-controller-tls@holdfast-system',
      'create pods@default',
      'delete pods@default',
      'patch pods@default',
      'update pods#status@default',
      'create pods#exec@default',
      'get pods#log@default',
      'create pods#eviction@default',
      'get configmaps@default',
      'list configmaps',
      'get nodes',
      'list nodes',
      'patch nodes',
      'create namespaces',
      'delete namespaces',
      'patch deployments.apps@default',
      'list deployments.apps',
      'create jobs.batch@default',
      `create resiliencepolicies.${own}@default`,
      `update resiliencepolicies.${own}@default`,
      `delete resiliencepolicies.${own}@default`,
      `patch connectionbudgets.${own}/orders`,
      `delete connectionbudgets.${own}/orders`,
      `patch ${hooks}/somebody-else`,
      `delete ${hooks}/holdfast-controller`,
      `create ${hooks}`,
      'patch customresourcedefinitions.apiextensions.k8s.io',
      'create clusterrolebindings.rbac.authorization.k8s.io',
      'create serviceaccounts#token@default',
      'impersonate users',
      'update leases.coordination.k8s.io/another@holdfast-system',
      'create leases.coordination.k8s.io@default',
    ])('the controller may not %s', async (what) => {
      expect(await mayController(what)).toBe(false);
    });
  });
});
