import type { AddressInfo } from 'node:net';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { budgetDefinition } from '../crds/budget-definition.ts';
import { policyDefinition } from '../crds/custom-resource-definition.ts';
import { serveWebhooks } from '../controller/admission/admission.ts';
import { readReview, reviewText } from '../controller/admission/admission-review.ts';
import { injectionSettings } from '../controller/admission/golden.test-kit.ts';
import type { Pod } from '../controller/admission/pod.ts';
import type { StoredPolicy } from '../controller/admission/stored-policies.ts';
import { webhookConfigurations } from '../controller/admission/webhook-configurations.ts';
import { keepCertificates } from '../controller/certificates/keeper.ts';
import type { ServingTls } from '../controller/certificates/serving-certificates.ts';
import { tlsSecretName } from '../controller/certificates/tls-secret.ts';
import { superviseWebhookBundles } from '../controller/certificates/webhook-bundles.ts';
import { openKubeApi } from '../controller/kube/api.ts';
import { mayDo } from '../controller/kube/reviews.ts';
import { secretStore } from '../controller/kube/secret-store.ts';
import { webhookStore } from '../controller/kube/webhook-store.ts';
import { Registry } from 'prom-client';
import { systemClock } from '../platform/clock.ts';
import { makeLogger } from '../platform/logger.ts';
import type { KubeApi } from './cluster/kube-api.ts';
import { readKubeconfig } from './cluster/kubeconfig.ts';
import type { TestCluster } from './cluster/test-cluster.ts';

const group = '/apis/admissionregistration.k8s.io/v1';
const logger = makeLogger('silent', 'test');
/** The webhooks in this process, and an API server that calls them. */
export interface AdmissionBed {
  readonly tls: ServingTls;
  /** As a cache would have them. */
  policies: StoredPolicy[];
  isSynced: boolean;
  /** How many reviews were answered: `mutate-pods allowed` → 3. */
  answers(): Promise<Readonly<Record<string, number>>>;
  /** Puts the `caBundle` of the webhooks right now. */
  repairBundles(): Promise<void>;
  /** Creates what is there only because controllers run in other clusters. */
  makeNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  stopWebhooks(): Promise<void>;
  close(): Promise<void>;
}

export async function openAdmissionBed({ api, kubeconfig }: TestCluster): Promise<AdmissionBed> {
  const { url, ca, token } = readKubeconfig(kubeconfig);
  const access = {
    url,
    tls: { ca },
    headers: async () => ({ authorization: `Bearer ${token}` }),
  };
  const kube = openKubeApi(access, systemClock);
  await api.establish(policyDefinition());
  await api.establish(budgetDefinition());
  const makeNamespace: AdmissionBed['makeNamespace'] = async (name, labels = {}) => {
    await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name, labels } } });
    const account = { metadata: { name: 'default' } };
    await must(api, 'POST', `/api/v1/namespaces/${name}/serviceaccounts`, account);
  };
  await makeNamespace('holdfast-system');

  const certificates = await keepCertificates({
    store: secretStore(kube, 'holdfast-system', tlsSecretName),
    names: ['localhost'],
    clock: systemClock,
    logger,
    signal: new AbortController().signal,
  });
  const registry = new Registry();
  const bed = { policies: [] as StoredPolicy[], isSynced: true };
  const server = await serveWebhooks({
    port: 0,
    host: '127.0.0.1',
    certificates,
    clock: systemClock,
    logger,
    registry,
    settings: injectionSettings,
    policiesIn: () => {
      if (!bed.isSynced) throw new Error('policies have not been listed yet');
      return bed.policies;
    },
    budget: () => undefined,
    mayGetSecret: (user, namespace, name, signal) =>
      mayDo(kube, user, { verb: 'get', resource: 'secrets', namespace, name }, signal),
    serviceAccount: { namespace: 'holdfast-system', name: 'holdfast-controller' },
  });
  const [mutating, validating] = webhookConfigurations({
    name: 'holdfast',
    reservedNamespaces: injectionSettings.reservedNamespaces,
    clientConfig: (path) => ({ url: `https://localhost:${server.port}${path}` }),
  });
  await must(api, 'POST', `${group}/mutatingwebhookconfigurations`, mutating);
  await must(api, 'POST', `${group}/validatingwebhookconfigurations`, validating);
  const bundles = superviseWebhookBundles({
    configurations: webhookStore(kube, 'holdfast'),
    certificates,
    clock: systemClock,
    logger,
  });
  await bundles.check();
  return Object.assign(bed, {
    tls: certificates.current,
    answers: async () => {
      const reviews = registry.getSingleMetric('holdfast_controller_admission_reviews_total');
      const { values = [] } = (await reviews?.get()) ?? {};
      return Object.fromEntries(
        values.map(({ labels, value }) => [`${labels['webhook']} ${labels['verdict']}`, value]),
      );
    },
    makeNamespace,
    repairBundles: () => bundles.check(),
    stopWebhooks: () => server.close(0),
    close: async () => {
      bundles.close();
      certificates.close();
      await server.close(0);
      await kube.close();
    },
  });
}

/** Calls, and throws what the API server says against it. */
export async function must(api: KubeApi, method: string, path: string, body?: object) {
  const contentType = method === 'PATCH' ? 'application/json-patch+json' : 'application/json';
  const answer = await api.call(method, path, body === undefined ? {} : { body, contentType });
  if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.body.message}`);
  return answer.body;
}

/** Somebody else's webhook: adds a container to pods of a namespace. Its name decides whether it is called before ours or behind it. */
export async function serveOtherWebhook(
  api: KubeApi,
  tls: ServingTls,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Promise<() => Promise<void>> {
  const server = createServer({ cert: tls.certificate, key: tls.key }, (request, response) => {
    void (async () => {
      const review = readReview(await text(request));
      const { spec } = review.object as Pod;
      const isThere = spec.containers.some((container) => container.name === 'mesh');
      const mesh = { name: 'mesh', image: 'mesh:1', ...restricted };
      const patch = isThere
        ? []
        : ([{ op: 'add', path: '/spec/containers/-', value: mesh }] as const);
      response.setHeader('content-type', 'application/json');
      response.end(reviewText(review.uid, { allowed: true, patch }));
    })();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await must(api, 'POST', `${group}/mutatingwebhookconfigurations`, {
    metadata: { name },
    webhooks: [
      {
        name: 'mesh.example.com',
        admissionReviewVersions: ['v1'],
        clientConfig: {
          url: `https://localhost:${port}/`,
          caBundle: Buffer.from(tls.authorities ?? '').toString('base64'),
        },
        sideEffects: 'None',
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
    ],
  });
  return async () => {
    await must(api, 'DELETE', `${group}/mutatingwebhookconfigurations/${name}`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

/** What Pod Security asks of a container of level `restricted`. */
export const restricted = {
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};
