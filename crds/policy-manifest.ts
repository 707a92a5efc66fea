import { policyOpenApi } from './custom-resource-definition.ts';
import { claimsOf } from './policy-claims.ts';
import { policySchema, type ResiliencePolicy } from './resilience-policy.ts';
import { type Fault, issueText, unknownFields, unknownText } from './schema-faults.ts';

/** The policy of a manifest with its defaults, unless there are faults. */
export interface CheckedManifest {
  readonly policy?: ResiliencePolicy;
  readonly faults: readonly Fault[];
}

const openApi = policyOpenApi();
/** What metav1.ObjectMeta has: kubectl refuses anything else. */
const metadataFields = new Set(
  'name generateName namespace labels annotations finalizers ownerReferences uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds managedFields selfLink'.split(
    ' ',
  ),
);

/** Checks a manifest, as YAML or JSON gave it, as `kubectl apply --validate=strict` does. */
export function checkManifest(given: unknown): CheckedManifest {
  const { policy, unknown, faults: others } = readManifest(given);
  const faults = [...unknown, ...others];
  return policy !== undefined && faults.length === 0 ? { policy, faults } : { faults };
}

/** A manifest that a newer schema may have checked: fields that are not known are passed over, and told apart from the faults. */
export function readManifest(given: unknown): CheckedManifest & {
  readonly unknown: readonly Fault[];
} {
  const value = withoutNulls(given);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { faults: [{ path: [], text: 'must be a block of fields' }], unknown: [] };
  }
  const { metadata } = value as { metadata?: unknown };
  const strangers = Object.keys(typeof metadata === 'object' ? (metadata ?? {}) : {})
    .filter((key) => !metadataFields.has(key))
    .map((key) => ({ path: ['metadata', key], text: unknownText(key, metadataFields) }));
  const parsed = policySchema.safeParse(value, { reportInput: true });
  const unknown = [...unknownFields(value, openApi), ...strangers];
  const faults = (parsed.error?.issues ?? []).map((issue) => {
    return { path: issue.path, text: issueText(issue) };
  });
  return { ...(parsed.success && { policy: parsed.data }), faults, unknown };
}

/** The API server takes a null field for an absent one. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

interface Place<Manifest> {
  readonly of: Manifest;
  readonly path: readonly PropertyKey[];
}

interface Namesakes<Manifest> {
  readonly first: Place<Manifest>;
  readonly second: Place<Manifest>;
  /** To follow the name of the second field. */
  readonly text: string;
}

/** Policies of one name, and what two policies of one mode claim. */
export function namedTwice<Manifest extends { readonly policy: ResiliencePolicy }>(
  manifests: readonly Manifest[],
): readonly Namesakes<Manifest>[] {
  const seen = new Map<string, Place<Manifest>>();
  const conflicts: Namesakes<Manifest>[] = [];
  const claim = (key: string, text: string, place: Place<Manifest>): void => {
    const first = seen.get(key);
    if (first === undefined) seen.set(key, place);
    else conflicts.push({ first, second: place, text });
  };
  for (const manifest of manifests) {
    const { metadata, spec } = manifest.policy;
    const name = { of: manifest, path: ['metadata', 'name'] };
    claim(`${metadata.namespace ?? ''}/${metadata.name}`, 'is the name of another policy', name);
    for (const { key, path, text } of claimsOf(spec)) claim(key, text, { of: manifest, path });
  }
  return conflicts;
}
