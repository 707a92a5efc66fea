import { isDeepStrictEqual } from 'node:util';
import { parseBudget } from '../../crds/connection-budget.ts';
import { checkManifest } from '../../crds/policy-manifest.ts';
import type { ResiliencePolicy } from '../../crds/resilience-policy.ts';
import { pathText } from '../../crds/schema-faults.ts';
import {
  type AdmissionHandler,
  type AdmissionRequest,
  allow,
  refuse,
  type UserInfo,
  type Verdict,
} from './admission-review.ts';
import { type SecretUse, secretUses } from './secret-uses.ts';
import { conflictWarnings, type StoredPolicy } from './stored-policies.ts';

export interface PolicyValidationParts {
  readonly policiesIn: (namespace: string) => readonly StoredPolicy[];
  /** A ConnectionBudget as it is stored. */
  readonly budget: (name: string) => object | undefined;
  /** Whether somebody may `get` a Secret (SubjectAccessReview). */
  readonly mayGetSecret: (
    user: UserInfo,
    namespace: string,
    secret: string,
    signal: AbortSignal,
  ) => Promise<boolean>;
  /** Those who change no spec of their own accord: the controller itself, the garbage collector. */
  readonly trustedUsers: readonly string[];
}

const mostFaults = 8;

/** Refuses what the schema cannot: policies that the sidecar would refuse, and secrets that their author may not read. Warns of what would be without effect. */
export const policyValidation =
  (parts: PolicyValidationParts): AdmissionHandler =>
  async (request, signal) => {
    if (parts.trustedUsers.includes(request.userInfo.username)) return allow();
    const { spec: after, metadata = {} } = (request.object ?? {}) as Partial<StoredPolicy>;
    const { spec: before } = (request.oldObject ?? {}) as Partial<StoredPolicy>;
    // Labels, finalizers and the like.
    if (request.operation === 'UPDATE' && isDeepStrictEqual(before, after)) return allow();

    const { policy, faults } = checkManifest(named(request));
    if (policy === undefined) {
      const texts = faults.map(({ path, text }) => `${pathText(path)} ${text}`);
      return refuse(422, texts.slice(0, mostFaults).join('; '));
    }
    const namespace = request.namespace ?? policy.metadata.namespace ?? '';
    const denied = await secretRefusal(parts, request, policy, namespace, signal);
    if (denied !== undefined) return denied;
    return allow([
      ...conflictWarnings(policy, metadata, parts.policiesIn(namespace)),
      ...budgetWarnings(policy, namespace, parts.budget),
    ]);
  };

/** One without a name gets it later. */
function named({ object, name }: AdmissionRequest): unknown {
  const { metadata, ...rest } = (object ?? {}) as { readonly metadata?: { name?: string } };
  return { ...rest, metadata: { name: name || 'generated', ...metadata } };
}

/** Whoever sends a secret somewhere must be allowed to read it: else a policy could bring it to light. What was there before needs nothing new. */
async function secretRefusal(
  { mayGetSecret }: PolicyValidationParts,
  { userInfo, oldObject }: AdmissionRequest,
  { spec }: ResiliencePolicy,
  namespace: string,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const before = new Set(usesBefore(oldObject).map(useText));
  const added = secretUses(spec).filter((use) => !before.has(useText(use)));
  const names = new Set(added.map(({ name }) => name));
  const firsts = [...names].flatMap((each) => added.find(({ name }) => name === each) ?? []);
  const answers = await Promise.all(
    firsts.map(async (use) => ({
      use,
      may: await mayGetSecret(userInfo, namespace, use.name, signal),
    })),
  );
  const denied = answers.filter(({ may }) => !may).map(({ use }) => use);
  if (denied.length === 0) return undefined;
  const texts = denied.map(({ path, name }) => `${path} names the Secret "${name}"`);
  const rights = denied.map(({ name }) => `secrets/${name}`).join(', ');
  return refuse(
    403,
    `${texts.join('; ')}: "${userInfo.username}" may name it in a policy only with the right to get ${rights} in namespace "${namespace}"`,
  );
}

const useText = ({ name, key, destination }: SecretUse): string =>
  JSON.stringify([name, key, destination]);

function usesBefore(oldObject: unknown): readonly SecretUse[] {
  const { policy } = checkManifest(oldObject);
  return policy === undefined ? [] : secretUses(policy.spec);
}

function budgetWarnings(
  { spec }: ResiliencePolicy,
  namespace: string,
  budget: PolicyValidationParts['budget'],
): string[] {
  return spec.postgres.flatMap(({ budgetRef }, index) => {
    if (budgetRef === undefined) return [];
    const field = `spec.postgres[${index}].budgetRef: ConnectionBudget "${budgetRef.name}"`;
    const stored = budget(budgetRef.name);
    if (stored === undefined) return [`${field} does not exist, and the policy waits for it`];
    const read = parseBudget(stored);
    if ('faults' in read) return [`${field} is not valid`];
    const { names, selector } = read.budget.spec.namespaces;
    // The labels of namespaces are the reconciler's to look at.
    return names.includes(namespace) || selector !== undefined
      ? []
      : [`${field} is not for namespace "${namespace}"`];
  });
}
