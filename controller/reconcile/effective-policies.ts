import type { Conflict } from './conflicts.ts';
import { type Candidate, NamespacePolicies } from './namespace-policies.ts';
import { type Pod, Pods } from './pods.ts';
import { type PolicyEntry, readEntry, wasAccepted } from './policy-entry.ts';
import { type Snapshot, Snapshots } from './snapshot.ts';
import type { Labels, StoredObject, Watched } from './stored-object.ts';

/** What the cluster has. Each replica of the controller reads it for itself. */
export interface ClusterState {
  readonly policies: Watched<StoredObject>;
  readonly budgets: Watched<StoredObject>;
  readonly namespaces: Watched<StoredObject>;
  /** Those that asked for a sidecar. */
  readonly pods: Watched<StoredObject>;
  /** Everything has been listed once. */
  readonly isSynced: () => boolean;
}

/** What may be otherwise than it was. */
export type PolicyChange =
  /** Policies of a namespace, or how they stand. */
  | { readonly kind: 'policies'; readonly namespace: string }
  /** A pod came, went, or has other labels: these policies select it, or did. */
  | {
      readonly kind: 'pod';
      readonly namespace: string;
      readonly podUid: string;
      readonly policies: readonly string[];
    };

/** A pod that a policy selects. */
export interface SelectedPod {
  readonly pod: Pod;
  /** Why the policy is not in force there. */
  readonly conflict: Conflict | undefined;
}

interface Neighbourhood {
  readonly candidates: Map<string, Candidate>;
  /** Undefined = to be made again. */
  policies: NamespacePolicies | undefined;
  /** By uid of policy; undefined = to be made again. */
  selected: ReadonlyMap<string, readonly SelectedPod[]> | undefined;
}

/** Which policies are in force on which pod. Every replica of the controller comes to the same result. */
export class EffectivePolicies {
  readonly #cluster: ClusterState;
  readonly #pods: Pods;
  readonly #snapshots = new Snapshots();
  readonly #neighbourhoods = new Map<string, Neighbourhood>();
  /** Generations: the status of a budget changes all the time. */
  readonly #budgets = new Map<string, number>();
  readonly #listeners = new Set<(change: PolicyChange) => void>();

  constructor(cluster: ClusterState) {
    this.#cluster = cluster;
    this.#pods = new Pods(cluster.pods, (before, after) => this.#podChanged(before, after));
    for (const policy of cluster.policies.list()) {
      this.#put(`${policy.metadata.namespace}/${policy.metadata.name}`, policy);
    }
    cluster.policies.onChange((key, policy) => {
      if (this.#put(key, policy)) this.#stale(namespaceOf(key));
    });
    cluster.namespaces.onChange((name) => {
      if (this.#neighbourhoods.has(name)) this.#stale(name);
    });
    for (const { metadata } of cluster.budgets.list()) {
      this.#budgets.set(metadata.name, metadata.generation ?? 0);
    }
    cluster.budgets.onChange((name, budget) => this.#budgetChanged(name, budget));
  }

  /** Calls back when something may be otherwise, until the result is called. */
  onChange(listener: (change: PolicyChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a pod's sidecar should have in force; undefined while the pod, or the cluster, is not known. */
  snapshotOf(podUid: string): Snapshot | undefined {
    if (!this.#cluster.isSynced()) return undefined;
    const pod = this.#pods.get(podUid);
    if (pod === undefined) return undefined;
    return this.#snapshots.of(this.policies(pod.namespace).on(pod.labels).standing);
  }

  /** Generations by uid of policy in a snapshot; undefined when its version is not known. */
  generations(version: string): ReadonlyMap<string, number> | undefined {
    return this.#snapshots.generations(version);
  }

  pod(uid: string): Pod | undefined {
    return this.#pods.get(uid);
  }

  /** Names of the policies that select a pod, in force or not. */
  selecting(podUid: string): readonly string[] {
    const pod = this.#pods.get(podUid);
    if (pod === undefined) return [];
    return this.policies(pod.namespace)
      .selecting(pod.labels)
      .map(({ name }) => name);
  }

  policies(namespace: string): NamespacePolicies {
    const here = this.#neighbourhood(namespace);
    here.policies ??= new NamespacePolicies([...here.candidates.values()], {
      budget: (name) => this.#cluster.budgets.get(name),
      namespaceLabels: this.#namespaceLabels(namespace),
    });
    return here.policies;
  }

  /** The pods that a policy selects and that have not ended, by name. */
  selectedBy({ namespace, uid }: PolicyEntry): readonly SelectedPod[] {
    const here = this.#neighbourhood(namespace);
    here.selected ??= this.#selected(namespace);
    return here.selected.get(uid) ?? [];
  }

  #selected(namespace: string): Map<string, SelectedPod[]> {
    const selected = new Map<string, SelectedPod[]>();
    const policies = this.policies(namespace);
    for (const pod of this.#pods.in(namespace)) {
      if (!pod.runs) continue;
      const { conflicts } = policies.on(pod.labels);
      for (const entry of policies.selecting(pod.labels)) {
        const conflict = conflicts.find(({ younger }) => younger === entry);
        const pods = selected.get(entry.uid);
        if (pods === undefined) selected.set(entry.uid, [{ pod, conflict }]);
        else pods.push({ pod, conflict });
      }
    }
    for (const pods of selected.values()) {
      pods.sort((one, other) => (one.pod.name < other.pod.name ? -1 : 1));
    }
    return selected;
  }

  /** Whether anything is otherwise. */
  #put(key: string, policy: StoredObject | undefined): boolean {
    const { candidates, policies } = this.#neighbourhood(namespaceOf(key));
    const before = candidates.get(key);
    if (policy === undefined) return candidates.delete(key);
    const { uid, generation } = policy.metadata;
    const accepted = wasAccepted(policy);
    const isKnown = before?.entry.uid === uid && before?.entry.generation === generation;
    const entry = isKnown && before !== undefined ? before.entry : readEntry(policy);
    candidates.set(key, { entry, wasAccepted: accepted });
    if (!isKnown) return true;
    // The controller's own status, which only matters to a policy that something is wrong with.
    const { refusal, complaint } = policies?.verdict(entry.uid) ?? {};
    return before?.wasAccepted !== accepted && (refusal ?? complaint) !== undefined;
  }

  #podChanged(before: Pod | undefined, after: Pod | undefined): void {
    for (const { namespace, uid } of present(before, after)) {
      this.#neighbourhood(namespace).selected = undefined;
      const names = new Set(
        present(before, after).flatMap((pod) =>
          this.policies(pod.namespace)
            .selecting(pod.labels)
            .map(({ name }) => name),
        ),
      );
      this.#tell({ kind: 'pod', namespace, podUid: uid, policies: [...names] });
      if (before?.uid === after?.uid) break;
    }
  }

  #budgetChanged(budget: string, object: StoredObject | undefined): void {
    const generation = object?.metadata.generation;
    if (object !== undefined && this.#budgets.get(budget) === generation) return;
    if (generation === undefined) this.#budgets.delete(budget);
    else this.#budgets.set(budget, generation);
    for (const [namespace, { candidates }] of this.#neighbourhoods) {
      const isNamed = [...candidates.values()].some(({ entry }) =>
        entry.spec?.postgres.some(({ budgetRef }) => budgetRef?.name === budget),
      );
      if (isNamed) this.#stale(namespace);
    }
  }

  #stale(namespace: string): void {
    const here = this.#neighbourhood(namespace);
    here.policies = undefined;
    here.selected = undefined;
    this.#tell({ kind: 'policies', namespace });
  }

  #tell(change: PolicyChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #neighbourhood(namespace: string): Neighbourhood {
    let here = this.#neighbourhoods.get(namespace);
    if (here === undefined) {
      here = { candidates: new Map(), policies: undefined, selected: undefined };
      this.#neighbourhoods.set(namespace, here);
    }
    return here;
  }

  #namespaceLabels(name: string): Labels {
    return this.#cluster.namespaces.get(name)?.metadata.labels ?? {};
  }
}

const namespaceOf = (key: string): string => key.split('/')[0] ?? '';

const present = (...pods: readonly (Pod | undefined)[]): Pod[] =>
  pods.filter((pod) => pod !== undefined);
