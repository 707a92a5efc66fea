import { namedTwice, readManifest } from '../../crds/policy-manifest.ts';
import type { ResiliencePolicy } from '../../crds/resilience-policy.ts';
import { pathText } from '../../crds/schema-faults.ts';
import type { PolicySnapshot__Output } from '../../platform/gen/holdfast/control/v1/PolicySnapshot.ts';
import type { PolicyFault } from '../settings/settings-error.ts';

/** Policies, or all that is wrong with them. */
export type ReadSnapshot =
  | {
      readonly policies: readonly ResiliencePolicy[];
      /** Fields that are without effect, because only a newer sidecar knows them. */
      readonly unknown: readonly PolicyFault[];
    }
  | { readonly faults: readonly PolicyFault[] };

/** Reads the policies of a snapshot like those of a file, but for fields that it does not know: the cluster's schema may be newer, with defaults for them. */
export function readSnapshot({ version, policies: sent }: PolicySnapshot__Output): ReadSnapshot {
  if (version === '') {
    return { faults: [{ policy: '', field: '', message: 'the snapshot has no version' }] };
  }
  const read = sent.map(({ name, manifest }) => ({ name, ...readText(manifest) }));
  const ofPolicies = (kind: 'faults' | 'unknown'): PolicyFault[] =>
    read.flatMap(({ name, [kind]: own }) =>
      own.map(({ path, text }) => ({ policy: name, field: pathText(path), message: text })),
    );
  const faults = ofPolicies('faults');
  if (faults.length > 0) return { faults };
  const manifests = read.flatMap(({ name, policy }) =>
    policy === undefined ? [] : [{ name, policy }],
  );
  const conflicts = namedTwice(manifests).map(({ first, second, text }) => ({
    policy: second.of.name,
    field: pathText(second.path),
    message: `${text}, of policy "${first.of.name}"`,
  }));
  if (conflicts.length > 0) return { faults: conflicts };
  return { policies: manifests.map(({ policy }) => policy), unknown: ofPolicies('unknown') };
}

function readText(manifest: string): ReturnType<typeof readManifest> {
  let value: unknown;
  try {
    value = JSON.parse(manifest);
  } catch {
    return { faults: [{ path: [], text: 'the manifest is no JSON' }], unknown: [] };
  }
  return readManifest(value);
}
