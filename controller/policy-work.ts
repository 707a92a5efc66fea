import type { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import type { EventRecorder } from './kube/events.ts';
import type { Objects } from './kube/objects.ts';
import type { KubeObject } from './kube/resource.ts';
import { workQueue } from './kube/work-queue.ts';
import { type ClusterState, EffectivePolicies } from './reconcile/effective-policies.ts';
import { GeneratedObjects, type ObjectWriter } from './reconcile/generated.ts';
import type { SidecarFacts } from './reconcile/pod-progress.ts';
import { policyPodMetrics } from './reconcile/policy-pod-metrics.ts';
import { startReconcile } from './reconcile/start-reconcile.ts';

/** Sidecars that are connected to this replica. */
interface SidecarSource {
  sidecar(podUid: string): SidecarFacts | undefined;
  onChange(
    listener: (change: { readonly sidecar: { readonly pod: { readonly podUid: string } } }) => void,
  ): () => void;
}

export interface PolicyWorkParts {
  readonly cluster: ClusterState;
  readonly objects: Objects;
  readonly events: EventRecorder;
  readonly fleet: SidecarSource;
  readonly hasPrometheusRules: () => boolean;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: () => number;
  /** What could not be done for a policy, by `namespace/name`, and is tried again. */
  readonly onFault: (policy: string, fault: unknown) => void;
}

export interface PolicyWork {
  /** Every replica serves by it. */
  readonly effective: EffectivePolicies;
  /** Writes statuses, events and generated objects from now on; for the leader, which stops it when it leads no more. */
  lead(): { stop(): Promise<void> };
}

/** Policies at most that are written at once: the API server has others to serve. */
const concurrency = 4;

/** Joins reconcile with the API server and the sidecars. */
export function policyWork(parts: PolicyWorkParts): PolicyWork {
  const { cluster, objects, events, fleet, clock, random, onFault } = parts;
  const effective = new EffectivePolicies(cluster);
  const metrics = policyPodMetrics(parts.registry);
  const writer: ObjectWriter = {
    apply: async (object) => {
      await objects.applyOwn(object as unknown as KubeObject);
    },
    remove: async ({ apiVersion, kind, namespace, name }, ownerUid) => {
      await objects.removeOwned({ apiVersion, kind, metadata: { namespace, name } }, ownerUid);
    },
    hasPrometheusRules: parts.hasPrometheusRules,
  };
  return {
    effective,
    lead: () =>
      startReconcile({
        effective,
        policies: cluster.policies,
        sidecar: (podUid) => fleet.sidecar(podUid),
        onSidecarChange: (listener) =>
          fleet.onChange(({ sidecar }) => listener(sidecar.pod.podUid)),
        writeStatus: async ({ apiVersion, kind, namespace, name }, status) => {
          await objects.applyStatus({ apiVersion, kind, metadata: { namespace, name }, status });
        },
        tell: ({ apiVersion, kind, namespace, name, uid }, { type, reason, message: note }) =>
          events.record(
            { apiVersion, kind, metadata: { namespace, name, uid } },
            { type, reason, action: 'Reconcile', note },
          ),
        // Whoever led before may have left other objects.
        generated: new GeneratedObjects(writer, clock),
        metrics,
        clock,
        openQueue: (work) =>
          workQueue({
            work,
            concurrency,
            clock,
            random,
            onFault: (key, fault) => onFault(key, fault),
          }),
      }),
  };
}
