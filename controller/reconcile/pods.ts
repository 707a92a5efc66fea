import type { Labels, StoredObject, Watched } from './stored-object.ts';

/** A pod that asked for a sidecar. */
export interface Pod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** False when all its containers have ended for good. */
  readonly runs: boolean;
}

/** The pods of a cache, by uid and by namespace. */
export class Pods {
  readonly #byKey = new Map<string, Pod>();
  readonly #byUid = new Map<string, Pod>();
  readonly #byNamespace = new Map<string, Map<string, Pod>>();

  /** Calls back with what a pod was and is, whenever that is not the same. */
  constructor(
    watched: Watched<StoredObject>,
    onChange: (before: Pod | undefined, after: Pod | undefined) => void,
  ) {
    for (const object of watched.list()) {
      this.#put(`${object.metadata.namespace}/${object.metadata.name}`, podOf(object));
    }
    watched.onChange((key, object) => {
      const before = this.#byKey.get(key);
      const after = object === undefined ? undefined : podOf(object);
      if (isSamePod(before, after)) return;
      this.#put(key, after);
      onChange(before, after);
    });
  }

  get(uid: string): Pod | undefined {
    return this.#byUid.get(uid);
  }

  in(namespace: string): Iterable<Pod> {
    return this.#byNamespace.get(namespace)?.values() ?? [];
  }

  #put(key: string, pod: Pod | undefined): void {
    const before = this.#byKey.get(key);
    if (before !== undefined) {
      // A pod of a StatefulSet has the name of the one before it.
      this.#byUid.delete(before.uid);
      this.#byNamespace.get(before.namespace)?.delete(before.uid);
      this.#byKey.delete(key);
    }
    if (pod === undefined) return;
    this.#byKey.set(key, pod);
    this.#byUid.set(pod.uid, pod);
    let neighbours = this.#byNamespace.get(pod.namespace);
    if (neighbours === undefined) {
      neighbours = new Map();
      this.#byNamespace.set(pod.namespace, neighbours);
    }
    neighbours.set(pod.uid, pod);
  }
}

function podOf({ metadata, status }: StoredObject): Pod {
  const { uid = '', name, namespace = '', labels = {} } = metadata;
  const { phase } = (status ?? {}) as { phase?: string };
  return { uid, name, namespace, labels, runs: phase !== 'Succeeded' && phase !== 'Failed' };
}

function isSamePod(one: Pod | undefined, other: Pod | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.uid !== other.uid || one.runs !== other.runs) return false;
  const labels = Object.entries(one.labels);
  return (
    labels.length === Object.keys(other.labels).length &&
    labels.every(([key, value]) => other.labels[key] === value)
  );
}
