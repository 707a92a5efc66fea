import type { KubeApi } from './api.ts';
import { isNotFound } from './kube-error.ts';
import { type KubeObject, pathOf, type Resource, resources } from './resource.ts';

interface Configuration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: { readonly caBundle?: string };
  }[];
}

const kinds = {
  MutatingWebhookConfiguration: resources.mutatingWebhooks,
  ValidatingWebhookConfiguration: resources.validatingWebhooks,
} as const satisfies Readonly<Record<string, Resource>>;
type Kind = keyof typeof kinds;

/** The two webhook configurations of a name, as far as certificates are concerned. */
export function webhookStore(api: KubeApi, name: string) {
  const read = async (kind: Kind, signal: AbortSignal) => {
    try {
      const path = pathOf(kinds[kind], { name });
      const stored = await api.call<Configuration>({ method: 'GET', path, signal });
      const { metadata, webhooks = [] } = stored;
      const bundles = webhooks.map((each) => ({
        name: each.name,
        caBundle: each.clientConfig.caBundle,
      }));
      return [{ kind, name, resourceVersion: metadata.resourceVersion ?? '', webhooks: bundles }];
    } catch (thrown) {
      if (isNotFound(thrown)) return [];
      throw thrown;
    }
  };
  return {
    /** Those that exist. */
    list: async (signal: AbortSignal) => [
      ...(await read('MutatingWebhookConfiguration', signal)),
      ...(await read('ValidatingWebhookConfiguration', signal)),
    ],
    /** By operations of a JSON patch. */
    patch: async (
      configuration: { readonly kind: Kind },
      operations: readonly object[],
      signal: AbortSignal,
    ): Promise<void> => {
      await api.call({
        method: 'PATCH',
        path: pathOf(kinds[configuration.kind], { name }),
        contentType: 'application/json-patch+json',
        body: operations,
        signal,
      });
    },
  };
}
