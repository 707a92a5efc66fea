import type { Watched, WatchedObject } from './watched.ts';

/** Pods that may have a sidecar running, by uid. */
export class RunningPods {
  readonly #uids = new Map<string, string>();
  readonly #ips = new Map<string, string | undefined>();

  constructor(watched: Watched) {
    for (const pod of watched.list()) {
      this.#put(`${pod.metadata.namespace}/${pod.metadata.name}`, pod);
    }
    watched.onChange((key, pod) => this.#put(key, pod));
  }

  has(uid: string): boolean {
    return this.#ips.has(uid);
  }

  /** Undefined while it has none. */
  ip(uid: string): string | undefined {
    return this.#ips.get(uid);
  }

  #put(key: string, pod: WatchedObject | undefined): void {
    const before = this.#uids.get(key);
    // A pod of a StatefulSet has the name of the one before it.
    if (before !== undefined) this.#ips.delete(before);
    this.#uids.delete(key);
    const { phase, podIP } = (pod?.status ?? {}) as { phase?: string; podIP?: string };
    const uid = pod?.metadata.uid;
    if (uid === undefined || phase === 'Succeeded' || phase === 'Failed') return;
    this.#uids.set(key, uid);
    this.#ips.set(uid, podIP);
  }
}
