import type { EffectivePolicies } from './effective-policies.ts';
import { type ReconcileParts, reconciler } from './reconcile.ts';

/** Works on keys one after the other or several at a time, never twice on the same at once. A key that waits is not added again; work that fails is repeated later. */
export interface WorkQueue {
  addAfter(key: string, delayMs: number): void;
  stop(): Promise<void>;
}

export interface ReconcilePorts extends ReconcileParts {
  readonly openQueue: (work: (key: string) => Promise<void>) => WorkQueue;
  /** Calls back when a sidecar connects, reports or is gone, until the result is called. */
  readonly onSidecarChange: (listener: (podUid: string) => void) => () => void;
}

/** Thousands of acknowledgements within so long are one write of a status. */
const gatherMs = 200;
const lookAgainMs = 600_000;

/** Reconciles all policies, and from then on whatever something has happened to, until it is stopped. For the leader only. */
export function startReconcile(ports: ReconcilePorts): { stop(): Promise<void> } {
  const { effective, policies, openQueue, onSidecarChange, metrics, clock } = ports;
  const queue = openQueue(reconciler(ports));
  const addAll = (namespace: string, names: Iterable<string>): void => {
    for (const name of names) queue.addAfter(`${namespace}/${name}`, gatherMs);
  };
  const ends = [
    effective.onChange((change) => {
      if (change.kind === 'pod') addAll(change.namespace, change.policies);
      else addAll(change.namespace, namesIn(effective, change.namespace));
    }),
    // Its own status among it: what somebody else wrote there is put right.
    policies.onChange((key) => queue.addAfter(key, gatherMs)),
    onSidecarChange((podUid) => {
      const pod = effective.pod(podUid);
      if (pod !== undefined) addAll(pod.namespace, effective.selecting(podUid));
    }),
  ];
  // Again and again: nothing tells of what was done to generated objects.
  let stopTimer = (): void => {};
  const lookAtAll = (): void => {
    for (const { metadata } of policies.list()) {
      queue.addAfter(`${metadata.namespace}/${metadata.name}`, 0);
    }
    stopTimer = clock.after(lookAgainMs, lookAtAll);
  };
  lookAtAll();
  return {
    stop: async () => {
      stopTimer();
      for (const end of ends) end();
      const stopped = queue.stop();
      // Before anything waits: it may lead again by then.
      metrics.reset();
      await stopped;
    },
  };
}

function* namesIn(effective: EffectivePolicies, namespace: string): Iterable<string> {
  for (const { name } of effective.policies(namespace).entries) yield name;
}
