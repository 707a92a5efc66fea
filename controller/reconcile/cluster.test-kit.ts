import type { PolicyStatus } from '../../crds/policy-status.ts';
import type { ClusterState } from './effective-policies.ts';
import type { Labels, StoredObject, Watched } from './stored-object.ts';

/** Objects of a kind, as a cache of them has them. */
export class Objects implements Watched<StoredObject> {
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<(key: string, object: StoredObject | undefined) => void>();

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  list(): readonly StoredObject[] {
    return [...this.#objects.values()];
  }

  onChange(listener: (key: string, object: StoredObject | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put(object: StoredObject): void {
    const { name, namespace } = object.metadata;
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    this.#objects.set(key, object);
    for (const listener of this.#listeners) listener(key, object);
  }

  remove(key: string): void {
    this.#objects.delete(key);
    for (const listener of this.#listeners) listener(key, undefined);
  }
}

/** A cluster of which a test says what there is. */
export class TestCluster implements ClusterState {
  readonly policies = new Objects();
  readonly budgets = new Objects();
  readonly namespaces = new Objects();
  readonly pods = new Objects();
  synced = true;

  isSynced = (): boolean => this.synced;
}

interface PolicyFacts {
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  /** Seconds after midnight. */
  readonly bornAt?: number;
  readonly selector?: Labels;
  readonly status?: PolicyStatus;
}

export function policyObject(name: string, spec: object, facts: PolicyFacts = {}): StoredObject {
  const { namespace = 'shop', uid = `uid-${name}`, generation = 1, bornAt = 0 } = facts;
  const { selector, status } = facts;
  return {
    metadata: {
      name,
      namespace,
      uid,
      generation,
      creationTimestamp: new Date(bornAt * 1_000).toISOString(),
    },
    spec: { ...spec, ...(selector && { selector: { matchLabels: selector } }) },
    ...(status && { status }),
  };
}

export const podObject = (
  name: string,
  labels: Labels = {},
  { namespace = 'shop', phase = 'Running' } = {},
): StoredObject => ({
  metadata: { name, namespace, uid: `uid-${name}`, labels },
  status: { phase },
});

export const budgetObject = (name: string, namespaces: object, generation = 1): StoredObject => ({
  metadata: { name, uid: `uid-${name}`, generation },
  spec: { total: 100, namespaces },
});

export const namespaceObject = (name: string, labels: Labels): StoredObject => ({
  metadata: { name, labels },
});

/** A spec with one PostgreSQL pool. */
export const poolSpec = (name = 'default', more: object = {}): object => ({
  postgres: [{ name, secretRef: { name: 'a-secret' }, ...more }],
});

/** A spec with guarded targets. */
export const guardSpec = (...names: readonly string[]): object => ({
  targets: names.map((name) => ({ kind: 'Guard', name })),
});
