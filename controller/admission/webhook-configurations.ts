import { apiGroup } from '../../crds/resilience-policy.ts';

/** Paths of the webhooks. */
export const webhookPaths = {
  pods: '/mutate-pods',
  policies: '/validate-policies',
  budgets: '/validate-budgets',
} as const;

type WebhookPath = (typeof webhookPaths)[keyof typeof webhookPaths];

export interface WebhookSettings {
  /** Of both configurations. */
  readonly name: string;
  readonly reservedNamespaces: readonly string[];
  /** Where the API server finds a webhook: its service, or a URL. */
  readonly clientConfig: (path: WebhookPath) => object;
}

/** Both configurations as the chart installs them; the controller fills in each `caBundle`. */
export function webhookConfigurations({
  name,
  reservedNamespaces,
  clientConfig,
}: WebhookSettings): readonly [mutating: object, validating: object] {
  const every = (path: WebhookPath) => ({
    admissionReviewVersions: ['v1'],
    clientConfig: clientConfig(path),
    // What goes past us is a pod without its sidecar, or a policy that may name any secret.
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 5,
  });
  const validating = (path: WebhookPath, resource: string, scope: string) => ({
    name: `${resource}.${apiGroup}`,
    ...every(path),
    rules: [
      {
        apiGroups: [apiGroup],
        apiVersions: ['*'],
        operations: ['CREATE', 'UPDATE'],
        resources: [resource],
        scope,
      },
    ],
  });
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: 'pods.holdfast.dev',
          ...every(webhookPaths.pods),
          // Nobody else's pod waits for us.
          objectSelector: { matchLabels: { 'holdfast.dev/inject': 'true' } },
          namespaceSelector: {
            matchExpressions: [
              {
                key: 'kubernetes.io/metadata.name',
                operator: 'NotIn',
                values: reservedNamespaces,
              },
            ],
          },
          // Containers that others add behind us get the socket too.
          reinvocationPolicy: 'IfNeeded',
          rules: [
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['pods'],
              scope: 'Namespaced',
            },
          ],
        },
      ],
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        validating(webhookPaths.policies, 'resiliencepolicies', 'Namespaced'),
        validating(webhookPaths.budgets, 'connectionbudgets', 'Cluster'),
      ],
    },
  ];
}
