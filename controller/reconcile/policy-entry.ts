import { claimsOf, type Claim } from '../../crds/policy-claims.ts';
import type { PolicyStatus } from '../../crds/policy-status.ts';
import {
  apiVersion,
  policyKind,
  policySchema,
  type PolicySpec,
} from '../../crds/resilience-policy.ts';
import { issueText, pathText } from '../../crds/schema-faults.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Labels, StoredObject } from './stored-object.ts';

/** Why something is as it is: one word for programs, a sentence for people. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

/** One generation of a policy, read once. */
export interface PolicyEntry {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly createdAt: string;
  readonly selector: Labels;
  readonly claims: readonly Claim[];
  /** Its defaults filled in; undefined when it is not valid. */
  readonly spec: PolicySpec | undefined;
  readonly fault: Problem | undefined;
  /** The manifest as sidecars get it: the same text wherever it is made. */
  readonly manifest: string;
}

/** Reads a stored policy. */
export function readEntry({ metadata, spec: given }: StoredObject): PolicyEntry {
  const { name, namespace = '', uid = '', generation = 0, creationTimestamp = '' } = metadata;
  const bare = { apiVersion, kind: policyKind, metadata: { name, namespace }, spec: given };
  // Fields that it does not know are passed on: a CRD is upgraded before the controllers, and has defaults for them.
  const { data, error } = policySchema.safeParse(bare, { reportInput: true });
  const spec = data?.spec;
  const faults = (error?.issues ?? []).map(
    (issue) => `${pathText(issue.path)} ${issueText(issue)}`,
  );
  return {
    namespace,
    name,
    uid,
    generation,
    createdAt: creationTimestamp,
    selector: spec?.selector?.matchLabels ?? {},
    claims: spec === undefined ? [] : claimsOf(spec),
    spec,
    fault: spec === undefined ? { reason: 'Invalid', message: faults.join('; ') } : undefined,
    manifest: spec === undefined ? '' : canonicalJson(bare),
  };
}

/** The order in which policies stand: the older first, then by uid, which two never share. */
export const byAge = (one: PolicyEntry, other: PolicyEntry): number =>
  order(one.createdAt, other.createdAt) || order(one.uid, other.uid);

/** Without regard to any locale. */
export const order = (one: string, other: string): number =>
  one < other ? -1 : Number(one > other);

/** Whether the controller has said of this very generation that it is accepted. */
export function wasAccepted({ metadata, status }: StoredObject): boolean {
  const { conditions = [] } = (status ?? {}) as PolicyStatus;
  return conditions.some(
    ({ type, status: is, observedGeneration }) =>
      type === 'Accepted' && is === 'True' && observedGeneration === metadata.generation,
  );
}
