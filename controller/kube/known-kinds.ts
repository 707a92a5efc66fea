import type { Clock } from '../../platform/clock.ts';
import type { KubeApi } from './api.ts';
import { isNotFound } from './kube-error.ts';
import { apiVersionOf, type Resource } from './resource.ts';

/** CRDs of others come and go with them. */
const roundMs = 60_000;

/** Whether the API server knows a kind, looked at once a minute. */
export interface KnownKind {
  readonly isKnown: boolean;
  stop(): void;
}

/** Resolves when it was looked at once, or could not be. */
export async function watchKind(
  api: KubeApi,
  clock: Clock,
  resource: Resource,
): Promise<KnownKind> {
  const stopping = new AbortController();
  let isKnown = false;
  const look = async (): Promise<void> => {
    try {
      const { resources } = await api.call<{ resources: readonly { readonly name: string }[] }>({
        method: 'GET',
        path: `/apis/${apiVersionOf(resource)}`,
        signal: stopping.signal,
      });
      isKnown = resources.some(({ name }) => name === resource.plural);
    } catch (thrown) {
      // A server that does not answer says nothing about what it knows.
      if (isNotFound(thrown)) isKnown = false;
    }
  };
  await look();
  void (async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(roundMs, stopping.signal).catch(() => undefined);
      if (!stopping.signal.aborted) await look();
    }
  })();
  return {
    get isKnown() {
      return isKnown;
    },
    stop: () => stopping.abort(),
  };
}
