import type { KubeApi } from './api.ts';
import { isConflict, isNotFound } from './kube-error.ts';
import { type KubeObject, pathOf, resources } from './resource.ts';

interface Secret extends KubeObject {
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
}

/** One Secret that all replicas read and write; writes name the version that they replace. */
export function secretStore(api: KubeApi, namespace: string, name: string) {
  const path = pathOf(resources.secrets, { namespace, name });
  return {
    /** Undefined when there is none. */
    read: async (
      signal: AbortSignal,
    ): Promise<{ data: Readonly<Record<string, string>>; version: string } | undefined> => {
      try {
        const { data = {}, metadata } = await api.call<Secret>({ method: 'GET', path, signal });
        const decoded = Object.entries(data).map(([key, value]) => [
          key,
          Buffer.from(value, 'base64').toString(),
        ]);
        return {
          data: Object.fromEntries(decoded) as Record<string, string>,
          version: metadata.resourceVersion ?? '',
        };
      } catch (thrown) {
        if (isNotFound(thrown)) return undefined;
        throw thrown;
      }
    },
    /** False when another was faster. Without a version it is made. */
    write: async (
      data: Readonly<Record<string, string>>,
      version: string | undefined,
      signal: AbortSignal,
    ): Promise<boolean> => {
      const encoded = Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      try {
        if (version === undefined) {
          const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: encoded };
          const body = { ...secret, type: 'kubernetes.io/tls' };
          await api.call({
            method: 'POST',
            path: pathOf(resources.secrets, { namespace }),
            body,
            signal,
          });
        } else {
          await api.call({
            method: 'PATCH',
            path,
            contentType: 'application/json-patch+json',
            body: [
              // An update that names a version is refused when it is another's turn.
              { op: 'replace', path: '/metadata/resourceVersion', value: version },
              { op: 'add', path: '/data', value: encoded },
            ],
            signal,
          });
        }
        return true;
      } catch (thrown) {
        if (isConflict(thrown) || isNotFound(thrown)) return false;
        throw thrown;
      }
    },
  };
}
