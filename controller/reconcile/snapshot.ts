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
/** Of manifests in snapshots that are kept: who changes a large policy all the time must not fill the memory. */
const mostLetters = 64 * 1024 * 1024;

/** Snapshots that were made: pods under the same policies share one, and an acknowledged version can be looked into. */
export class Snapshots {
  /** A generation of a policy never changes, so its uid and number stand for its content. */
  readonly #byIdentity = new Map<string, Snapshot>();
  #letters = 0;
  readonly #byVersion = new Map<string, ReadonlyMap<string, number>>();

  /** Of policies in any order. */
  of(standing: readonly PolicyEntry[]): Snapshot {
    const ordered = standing.toSorted(
      (one, other) => order(one.namespace, other.namespace) || order(one.name, other.name),
    );
    const identity = ordered.map(({ uid, generation }) => `${uid}@${generation}`).join(' ');
    const known = this.#byIdentity.get(identity);
    const snapshot = known ?? makeSnapshot(ordered);
    if (known === undefined) this.#letters += lettersIn(snapshot);
    for (const gone of keep(this.#byIdentity, identity, snapshot)) this.#letters -= lettersIn(gone);
    this.#forgetLarge();
    if (known === undefined || !this.#byVersion.has(snapshot.version)) {
      const generations = new Map(ordered.map(({ uid, generation }) => [uid, generation]));
      keep(this.#byVersion, snapshot.version, generations);
    }
    return snapshot;
  }

  #forgetLarge(): void {
    for (const [identity, snapshot] of this.#byIdentity) {
      if (this.#letters <= mostLetters) return;
      this.#byIdentity.delete(identity);
      this.#letters -= lettersIn(snapshot);
    }
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

const lettersIn = ({ policies }: Snapshot): number =>
  policies.reduce((sum, { manifest }) => sum + manifest.length, 0);

/** As the newest of a map with an upper limit; the result is what had to go. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): Value[] {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map;
  if (map.size <= mostKept || oldest === undefined) return [];
  map.delete(oldest[0]);
  return [oldest[1]];
}
