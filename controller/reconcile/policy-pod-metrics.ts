import { Gauge, type Registry } from 'prom-client';
import type { PolicyStatus } from '../../crds/policy-status.ts';

/** What the leader counts of policies. */
export interface PolicyPodMetrics {
  set(namespace: string, policy: string, counts: NonNullable<PolicyStatus['pods']>): void;
  forget(namespace: string, policy: string): void;
  /** Another leads, and counts. */
  reset(): void;
}

const states = ['selected', 'connected', 'programmed', 'rejecting', 'restartRequired'] as const;

export function policyPodMetrics(registry: Registry): PolicyPodMetrics {
  const pods = new Gauge({
    name: 'holdfast_controller_policy_pods',
    help: 'Pods by policy and by how far they follow it; each state includes the pods of further ones.',
    labelNames: ['namespace', 'policy', 'state'],
    registers: [registry],
  });
  return {
    set: (namespace, policy, counts) => {
      for (const state of states) pods.set({ namespace, policy, state }, counts[state] ?? 0);
    },
    forget: (namespace, policy) => {
      for (const state of states) pods.remove({ namespace, policy, state });
    },
    reset: () => pods.reset(),
  };
}
