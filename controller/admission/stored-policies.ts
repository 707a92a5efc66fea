import { claimsOf } from '../../crds/policy-claims.ts';
import {
  apiVersion,
  policyKind,
  policySchema,
  type ResiliencePolicy,
} from '../../crds/resilience-policy.ts';
import { pathText } from '../../crds/schema-faults.ts';

/** A policy as the API server has it. */
export interface StoredPolicy {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
  };
  readonly spec?: unknown;
}

/** The policies that can be read; the others are in force nowhere, and their status says so. */
export const readable = (stored: readonly StoredPolicy[]): readonly ResiliencePolicy[] =>
  stored.flatMap((each) => parsed(each) ?? []);

const known = new WeakMap<StoredPolicy, { readonly policy: ResiliencePolicy | undefined }>();

/** Pods come by the hundred, and policies do not change meanwhile. */
function parsed(stored: StoredPolicy): ResiliencePolicy | undefined {
  const { name, namespace } = stored.metadata;
  let entry = known.get(stored);
  if (entry === undefined) {
    const { data } = policySchema.safeParse({
      apiVersion,
      kind: policyKind,
      metadata: { name, namespace },
      spec: stored.spec,
    });
    known.set(stored, (entry = { policy: data }));
  }
  return entry.policy;
}

/**
 * What a policy says that another one says too, for pods that both may select: one sentence for each pair. The older one stands, by creation and then by
 * uid, as the reconciler has it.
 */
export function conflictWarnings(
  policy: ResiliencePolicy,
  metadata: Partial<StoredPolicy['metadata']>,
  others: readonly StoredPolicy[],
): string[] {
  const claims = new Map(claimsOf(policy.spec).map(({ key, path }) => [key, pathText(path)]));
  return others.flatMap((stored) => {
    const other = stored.metadata.name === policy.metadata.name ? undefined : parsed(stored);
    if (other === undefined || !mayMeet(policy, other)) return [];
    const path = claimsOf(other.spec).flatMap(({ key }) => claims.get(key) ?? [])[0];
    if (path === undefined) return [];
    const { name } = other.metadata;
    return isOlder(stored.metadata, metadata)
      ? [`${path}: the older policy "${name}" has it too, and stands where both select a pod`]
      : [
          `${path}: the younger policy "${name}" has it too, and stands no more where both select a pod`,
        ];
  });
}

/** Whether labels can be selected by both. */
function mayMeet(one: ResiliencePolicy, other: ResiliencePolicy): boolean {
  const theirs = other.spec.selector?.matchLabels ?? {};
  return Object.entries(one.spec.selector?.matchLabels ?? {}).every(
    ([key, value]) => (theirs[key] ?? value) === value,
  );
}

/** One without a time of creation is just being made. */
function isOlder(
  one: Partial<StoredPolicy['metadata']>,
  other: Partial<StoredPolicy['metadata']>,
): boolean {
  const [its = '9', theirs = '9'] = [one.creationTimestamp, other.creationTimestamp];
  return its === theirs ? (one.uid ?? '') < (other.uid ?? '') : its < theirs;
}
