import type { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { serveWebhooks } from './admission/admission.ts';
import type { StoredPolicy } from './admission/stored-policies.ts';
import { keepCertificates } from './certificates/keeper.ts';
import type { ServingCertificates } from './certificates/serving-certificates.ts';
import { watchTlsFolder } from './certificates/tls-folder.ts';
import { tlsSecretName } from './certificates/tls-secret.ts';
import { superviseWebhookBundles } from './certificates/webhook-bundles.ts';
import type { WebhookSettings } from './injection-variables.ts';
import type { KubeApi } from './kube/api.ts';
import { mayDo } from './kube/reviews.ts';
import { secretStore } from './kube/secret-store.ts';
import { webhookStore } from './kube/webhook-store.ts';

/** What is watched, as the caches have it. */
interface Known<Item> {
  readonly isSynced: boolean;
  list(): readonly Item[];
}

export interface WebhookParts {
  readonly settings: WebhookSettings;
  /** 0 is any free one. */
  readonly port: number;
  /** Without it: all interfaces. */
  readonly host?: string;
  readonly api: KubeApi;
  readonly caches: {
    readonly policies: Known<StoredPolicy>;
    readonly budgets: Known<{ readonly metadata: { readonly name: string } }>;
  };
  readonly certificates: ServingCertificates;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WebhookWork {
  readonly port: number;
  /** Looks at the `caBundle` of the webhooks now, not only when that is due. */
  checkBundles(): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

/** The certificates of the controller: its own, or those of a folder. Waits for the API server until the signal ends it. */
export function openCertificates(
  { tlsDir, servingNames, serviceAccount }: WebhookSettings,
  parts: Pick<WebhookParts, 'api' | 'clock' | 'log'> & { readonly signal: AbortSignal },
): Promise<ServingCertificates> {
  const { api, clock, log: logger, signal } = parts;
  if (tlsDir !== undefined) return watchTlsFolder(tlsDir, clock, logger);
  const store = secretStore(api, serviceAccount.namespace, tlsSecretName);
  return keepCertificates({ store, names: servingNames, clock, logger, signal });
}

/** Serves the webhooks, on every replica, and keeps the API server's trust in them. */
export async function startWebhooks(parts: WebhookParts): Promise<WebhookWork> {
  const { settings, port, host, api, caches, registry, clock, certificates } = parts;
  const { policies, budgets } = caches;
  const logger = parts.log;
  const server = await serveWebhooks({
    port,
    ...(host === undefined ? {} : { host }),
    certificates,
    clock,
    logger,
    registry,
    settings: settings.injection,
    serviceAccount: settings.serviceAccount,
    policiesIn: (namespace) => {
      // A pod would be made without its secrets, for good.
      if (!policies.isSynced) throw new Error('policies have not been listed yet');
      return policies.list().filter(({ metadata }) => metadata.namespace === namespace);
    },
    budget: (name) => budgets.list().find(({ metadata }) => metadata.name === name),
    mayGetSecret: (user, namespace, name, signal) =>
      mayDo(api, user, { verb: 'get', resource: 'secrets', namespace, name }, signal),
  });
  const bundles = superviseWebhookBundles({
    configurations: webhookStore(api, settings.configurations),
    certificates,
    clock,
    logger,
  });
  return {
    port: server.port,
    checkBundles: () => bundles.check(),
    stop: async (graceMs) => {
      bundles.close();
      await server.close(graceMs);
    },
  };
}
