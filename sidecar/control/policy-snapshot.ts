import { checkManifest, namedTwice } from '../../crds/policy-manifest.ts';
import type { ResiliencePolicy } from '../../crds/resilience-policy.ts';
import { pathText } from '../../crds/schema-faults.ts';
import type { PolicySnapshot__Output } from '../../platform/gen/holdfast/control/v1/PolicySnapshot.ts';
import type { PolicyFault } from '../settings/settings-error.ts';

/** Policies, or all that is wrong with them. */
export type ReadSnapshot =
  | { readonly policies: readonly ResiliencePolicy[] }
  | { readonly faults: readonly PolicyFault[] };

/** Reads the policies of a snapshot as strictly as those of a file. */
export function readSnapshot({ version, policies: sent }: PolicySnapshot__Output): ReadSnapshot {
  if (version === '') {
    return { faults: [{ policy: '', field: '', message: 'the snapshot has no version' }] };
  }
  const read = sent.map(({ name, manifest }) => ({ name, ...readManifest(manifest) }));
  const faults = read.flatMap(({ name, faults: own }) =>
    own.map(({ path, text }) => ({ policy: name, field: pathText(path), message: text })),
  );
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
  return { policies: manifests.map(({ policy }) => policy) };
}

function readManifest(manifest: string): ReturnType<typeof checkManifest> {
  let value: unknown;
  try {
    value = JSON.parse(manifest);
  } catch {
    return { faults: [{ path: [], text: 'the manifest is no JSON' }] };
  }
  return checkManifest(value);
}
