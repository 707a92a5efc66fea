import { apiVersion, policyKind } from '../../crds/resilience-policy.ts';
import type { PolicyStatus } from '../../crds/policy-status.ts';
import type { Clock } from '../../platform/clock.ts';
import { conflictProblem } from './conflicts.ts';
import type { EffectivePolicies } from './effective-policies.ts';
import type { GeneratedObjects } from './generated.ts';
import { type SidecarFacts, progressOf } from './pod-progress.ts';
import type { PolicyEntry } from './policy-entry.ts';
import type { PolicyPodMetrics } from './policy-pod-metrics.ts';
import { isSameStatus, statusOf } from './status.ts';
import { newsOf, type PolicyNews } from './news.ts';
import type { StoredObject, Watched } from './stored-object.ts';

/** Which policy. */
export interface PolicyRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface ReconcileParts {
  readonly effective: EffectivePolicies;
  readonly policies: Watched<StoredObject>;
  /** What a pod's sidecar has said; undefined = it is not connected. */
  readonly sidecar: (podUid: string) => SidecarFacts | undefined;
  /** Server-side apply of the subresource. */
  readonly writeStatus: (policy: PolicyRef, status: PolicyStatus) => Promise<void>;
  /** An event for people; must not throw. */
  readonly tell: (policy: PolicyRef, news: PolicyNews) => void;
  readonly generated: GeneratedObjects;
  readonly metrics: PolicyPodMetrics;
  readonly clock: Clock;
}

/** The watch lags behind what was written by less. */
const lagMs = 5_000;

interface Written {
  readonly uid: string;
  readonly status: PolicyStatus;
  readonly atMs: number;
}

/** Makes what the cluster says of a policy true. */
export type Reconcile = (key: string) => Promise<void>;

/** Reconcile for keys `namespace/name`: reads everything anew each time, so running it twice is the same as once. */
export function reconciler(parts: ReconcileParts): Reconcile {
  const { effective, policies, clock } = parts;
  const written = new Map<string, Written>();

  return async (key) => {
    const stored = policies.get(key);
    const [namespace = '', name = ''] = key.split('/');
    const entry = effective.policies(namespace).entry(name);
    if (stored === undefined || entry === undefined) {
      const last = written.get(key);
      if (last !== undefined) parts.generated.forget(last.uid);
      written.delete(key);
      parts.metrics.forget(namespace, name);
      return;
    }
    const last = written.get(key);
    const own = last?.uid === entry.uid ? last : undefined;
    const shown = stored.status as PolicyStatus | undefined;
    const before = own?.status ?? shown;
    const status = statusOf(standingOf(entry, parts), before, clock.wallNow());
    if (status.pods !== undefined) parts.metrics.set(namespace, name, status.pods);

    const isUnderWay =
      own !== undefined && isSameStatus(own.status, status) && clock.now() - own.atMs < lagMs;
    if (!isSameStatus(shown, status) && !isUnderWay) {
      const ref = { apiVersion, kind: policyKind, namespace, name, uid: entry.uid };
      await parts.writeStatus(ref, status);
      written.set(key, { uid: entry.uid, status, atMs: clock.now() });
      for (const news of newsOf(before, status)) parts.tell(ref, news);
    }
    // Last: a quota on ConfigMaps is no reason for not knowing how a policy stands.
    if (entry.spec !== undefined) {
      await parts.generated.bringUpToDate({ ...entry, spec: entry.spec });
    }
  };
}

function standingOf(entry: PolicyEntry, { effective, sidecar }: ReconcileParts) {
  const selected = effective.selectedBy(entry);
  const here = effective.policies(entry.namespace);
  const conflict =
    selected.find((pod) => pod.conflict !== undefined)?.conflict ??
    here.possibleConflict(entry.uid);
  const { refusal, complaint } = here.verdict(entry.uid);
  return {
    generation: entry.generation,
    refusal,
    complaint,
    conflict: conflict && conflictProblem(conflict),
    pods: selected.map((pod) =>
      progressOf(entry, pod, sidecar(pod.pod.uid), (version) => effective.generations(version)),
    ),
  };
}
