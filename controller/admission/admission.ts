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
    Omit<AdmissionServerParts, 'handlers'>,
    Omit<PodMutationParts, 'authorities'>,
    Omit<PolicyValidationParts, 'trustedUsers'> {
  /** Namespace and name of the controller's own service account. */
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** Serves all webhooks of the controller. */
export const serveWebhooks = (parts: AdmissionParts): Promise<AdmissionServer> =>
  serveAdmission({ ...parts, handlers: webhooks(parts) });

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
