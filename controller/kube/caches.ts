import type { Clock } from '../../platform/clock.ts';
import type { KubeApi } from './api.ts';
import type { KubeError } from './kube-error.ts';
import { listWatch, type Selection } from './list-watch.ts';
import { type KubeObject, type ObjectMeta, type Resource, resources } from './resource.ts';
import { type Cache, watchCache } from './watch.ts';

/** A ResiliencePolicy or a ConnectionBudget as it is stored; whoever reads it checks its spec. */
export interface StoredObject extends KubeObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** What is kept of a pod with a sidecar. */
export interface SidecarPod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly serviceAccountName?: string };
  readonly status: { readonly phase?: string; readonly podIP?: string };
}

/** The kinds that are watched, as metrics and log name them. */
export const watchedKinds = ['policies', 'budgets', 'pods', 'namespaces'] as const;
export type WatchedKind = (typeof watchedKinds)[number];

export interface Caches {
  readonly policies: Cache<StoredObject>;
  readonly budgets: Cache<StoredObject>;
  /** Those that asked for a sidecar. */
  readonly pods: Cache<SidecarPod>;
  /** Names and labels. */
  readonly namespaces: Cache<KubeObject>;
  /** All of them have been listed. */
  readonly synced: Promise<void>;
  readonly areSynced: boolean;
  stop(): Promise<void>;
}

interface CacheParts {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly relistMs: number;
  readonly onFault: (kind: WatchedKind, fault: KubeError) => void;
}

/** Label by which a pod asks for a sidecar. */
export const injectLabel = 'holdfast.dev/inject';

/** Everything that the controller knows of the cluster without asking. */
export function openCaches({ api, clock, random, relistMs, onFault }: CacheParts): Caches {
  const open = <Item extends KubeObject>(
    kind: WatchedKind,
    resource: Resource,
    selection?: Selection<Item>,
  ): Cache<Item> =>
    watchCache<Item>({
      source: listWatch(api, resource, selection),
      times: { relistMs },
      clock,
      random,
      onFault: (fault) => onFault(kind, fault),
    });
  const policies = open<StoredObject>('policies', resources.policies);
  const budgets = open<StoredObject>('budgets', resources.budgets);
  const pods = open<SidecarPod>('pods', resources.pods, {
    labelSelector: `${injectLabel}=true`,
    shape: podShape,
  });
  const namespaces = open<KubeObject>('namespaces', resources.namespaces, {
    shape: ({ metadata: { name, uid, resourceVersion, labels } }) => {
      return present({ metadata: present({ name, uid, resourceVersion, labels }) }) as KubeObject;
    },
  });
  const all = [policies, budgets, pods, namespaces];
  return {
    policies,
    budgets,
    pods,
    namespaces,
    synced: Promise.all(all.map(({ synced }) => synced)).then(() => {}),
    get areSynced() {
      return all.every(({ isSynced }) => isSynced);
    },
    stop: async () => {
      await Promise.all(all.map((cache) => cache.stop()));
    },
  };
}

/** A pod is large, and thousands of them are kept. */
function podShape(object: KubeObject): SidecarPod {
  const { metadata, spec = {}, status = {} } = object as KubeObject & Partial<SidecarPod>;
  const kept = {
    name: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
    labels: metadata.labels,
    annotations: ownAnnotations(metadata),
    ownerReferences: metadata.ownerReferences,
  };
  const { nodeName, serviceAccountName } = spec;
  const { phase, podIP } = status;
  return present({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: present(kept),
    spec: present({ nodeName, serviceAccountName }),
    status: present({ phase, podIP }),
  });
}

const ownAnnotations = ({ annotations = {} }: ObjectMeta): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(annotations).filter(([name]) => name.includes('holdfast.dev/')),
  );

/** Without the fields that are undefined. */
const present = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
