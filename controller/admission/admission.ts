import type { Registry } from 'prom-client';
import { validityOf } from '../certificates/issue.ts';
import { admissionMetrics } from './admission-metrics.ts';
import type { AdmissionHandler } from './admission-review.ts';
import {
  type AdmissionServer,
  type AdmissionServerParts,
  serveAdmission,
} from './admission-server.ts';
import { podMutation, type PodMutationParts } from './mutate-pods.ts';
import { budgetValidation } from './validate-budget.ts';
import { policyValidation, type PolicyValidationParts } from './validate-policy.ts';
import { webhookPaths } from './webhook-configurations.ts';

export interface AdmissionParts
  extends
    Omit<AdmissionServerParts, 'handlers' | 'onAnswer'>,
    Omit<PodMutationParts, 'authorities'>,
    Omit<PolicyValidationParts, 'trustedUsers'> {
  /** Namespace and name of the controller's own service account. */
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
  readonly registry: Registry;
}

/** Serves all webhooks of the controller. */
export function serveWebhooks(parts: AdmissionParts): Promise<AdmissionServer> {
  const { certificates, registry } = parts;
  const metrics = admissionMetrics(
    registry,
    () => validityOf(certificates.current.certificate)?.untilMs,
  );
  return serveAdmission({
    ...parts,
    handlers: webhooks(parts),
    onAnswer: (path, verdict, ms) => metrics.answered(path, verdict, ms),
  });
}

const webhooks = (parts: AdmissionParts): Readonly<Record<string, AdmissionHandler>> => {
  const { namespace, name } = parts.serviceAccount;
  return {
    [webhookPaths.pods]: podMutation({
      ...parts,
      authorities: () => parts.certificates.current.authorities,
    }),
    [webhookPaths.policies]: policyValidation({
      ...parts,
      trustedUsers: [
        `system:serviceaccount:${namespace}:${name}`,
        'system:serviceaccount:kube-system:generic-garbage-collector',
      ],
    }),
    [webhookPaths.budgets]: budgetValidation,
  };
};
