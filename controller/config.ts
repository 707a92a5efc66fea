import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type WebhookSettings, webhookSettingsOf } from './injection-variables.ts';
import { serviceAccountFolder } from './kube/access.ts';
import { SettingsError } from './settings-error.ts';
import { readVariables, type Variables } from './variables.ts';

export { SettingsError } from './settings-error.ts';

/** All that the controller is told from outside; read once. */
export interface Settings {
  readonly cluster: ClusterSettings;
  readonly namespace: string;
  readonly podName: string;
  /** Where sidecars reach this very replica, without its port; undefined when they are not to be sent here. */
  readonly advertiseHost: string | undefined;
  readonly leaseName: string;
  /** Ports; 0 is any free one. */
  readonly discoveryPort: number;
  readonly webhookPort: number;
  readonly httpPort: number;
  /** Certificates, webhooks, and what is injected. */
  readonly webhooks: WebhookSettings;
  readonly relistMs: number;
  readonly logLevel: Variables['HOLDFAST_CONTROLLER_LOG_LEVEL'];
  readonly graceMs: number;
}

/** How the API server is reached. */
export type ClusterSettings =
  | { readonly kind: 'kubeconfig'; readonly path: string }
  | { readonly kind: 'pod'; readonly host: string; readonly port: string };

/**
 * Reads the settings from the environment, and what Kubernetes says to every pod.
 *
 * @throws SettingsError with one line that names what is wrong and what to do.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const variables = readVariables(env);
  const namespace = variables.HOLDFAST_CONTROLLER_NAMESPACE ?? podNamespace() ?? 'holdfast-system';
  return {
    cluster: clusterSettings(variables, env),
    namespace,
    podName: variables.HOLDFAST_CONTROLLER_POD_NAME ?? hostname(),
    advertiseHost: variables.HOLDFAST_CONTROLLER_ADVERTISE_HOST,
    leaseName: variables.HOLDFAST_CONTROLLER_LEASE_NAME,
    discoveryPort: variables.HOLDFAST_CONTROLLER_DISCOVERY_PORT,
    webhookPort: variables.HOLDFAST_CONTROLLER_WEBHOOK_PORT,
    httpPort: variables.HOLDFAST_CONTROLLER_HTTP_PORT,
    webhooks: webhookSettingsOf(variables, namespace, variables.HOLDFAST_CONTROLLER_SERVICE_NAME),
    relistMs: variables.HOLDFAST_CONTROLLER_RELIST_MS,
    logLevel: variables.HOLDFAST_CONTROLLER_LOG_LEVEL,
    graceMs: variables.HOLDFAST_CONTROLLER_GRACE_MS,
  };
}

function clusterSettings(
  variables: Variables,
  env: Readonly<Record<string, string | undefined>>,
): ClusterSettings {
  const path = variables.HOLDFAST_CONTROLLER_KUBECONFIG;
  if (path !== undefined) {
    if (existsSync(path)) return { kind: 'kubeconfig', path };
    throw new SettingsError(`HOLDFAST_CONTROLLER_KUBECONFIG ${path} does not exist`);
  }
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host !== undefined && port !== undefined && existsSync(join(serviceAccountFolder, 'token'))) {
    return { kind: 'pod', host, port };
  }
  throw new SettingsError(
    'HOLDFAST_CONTROLLER_KUBECONFIG is missing: outside of a pod with a service account it says where the cluster is',
  );
}

function podNamespace(): string | undefined {
  const path = join(serviceAccountFolder, 'namespace');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}
