import { createHash } from 'node:crypto';
import { order, type PolicyEntry } from './policy-entry.ts';

/** All policies that stand on a pod, as its sidecar gets them. */
export interface Snapshot {
  /** SHA-256 over the policies, in hex: the same wherever it is made. */
  readonly version: string;
  /** By namespace and name. */
  readonly policies: readonly SnapshotPolicy[];
}

export type SnapshotPolicy = Readonly<
  Pick<PolicyEntry, 'namespace' | 'name' | 'uid' | 'generation' | 'manifest'>
>;

/** More versions than this are forgotten, those first that were not asked for longest. */
const mostKept = 8_192;

/** Snapshots that were made: pods under the same policies share one, and an acknowledged version can be looked into. */
export class Snapshots {
  /** A generation of a policy never changes, so its uid and number stand for its content. */
  readonly #byIdentity = new Map<string, Snapshot>();
  readonly #byVersion = new Map<string, ReadonlyMap<string, number>>();

  /** Of policies in any order. */
  of(standing: readonly PolicyEntry[]): Snapshot {
    const ordered = standing.toSorted(
      (one, other) => order(one.namespace, other.namespace) || order(one.name, other.name),
    );
    const identity = ordered.map(({ uid, generation }) => `${uid}@${generation}`).join(' ');
    const known = this.#byIdentity.get(identity);
    const snapshot = known ?? makeSnapshot(ordered);
    keep(this.#byIdentity, identity, snapshot);
    if (known === undefined || !this.#byVersion.has(snapshot.version)) {
      const generations = new Map(ordered.map(({ uid, generation }) => [uid, generation]));
      keep(this.#byVersion, snapshot.version, generations);
    }
    return snapshot;
  }

  /** Generations by uid of policy; undefined when the version is not known (any more). */
  generations(version: string): ReadonlyMap<string, number> | undefined {
    const found = this.#byVersion.get(version);
    if (found !== undefined) keep(this.#byVersion, version, found);
    return found;
  }
}

function makeSnapshot(ordered: readonly PolicyEntry[]): Snapshot {
  const policies = ordered.map(({ namespace, name, uid, generation, manifest }) => ({
    namespace,
    name,
    uid,
    generation,
    manifest,
  }));
  const content = JSON.stringify(policies.map((policy) => Object.values(policy)));
  return { version: createHash('sha256').update(content).digest('hex'), policies };
}

/** As the newest of a map with an upper limit. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > mostKept) map.delete(map.keys().next().value ?? '');
}
