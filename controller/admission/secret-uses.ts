import type { PolicySpec } from '../../crds/resilience-policy.ts';

/** A key of a Secret, and what is done with it. */
export interface SecretUse {
  readonly name: string;
  readonly key: string;
  /** `spec.postgres[0].secretRef` */
  readonly path: string;
  /** Where it goes and how it is protected on the way, as text that is equal when that is. */
  readonly destination: string;
}

interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** Every secret that a policy names. One URL tells a pool where to go; of an upstream the policy does. */
export function secretUses({ postgres, redis, targets }: PolicySpec): readonly SecretUse[] {
  const pools = { postgres, redis };
  const ofPools = (['postgres', 'redis'] as const).flatMap((list) =>
    pools[list].flatMap(({ secretRef, tls }, index) =>
      usesIn({ secretRef, tls }, `spec.${list}[${index}]`, JSON.stringify([list, secretRef, tls])),
    ),
  );
  const ofTargets = targets.flatMap(({ upstream }, index) => {
    if (upstream === undefined) return [];
    const { baseUrl, tls } = upstream;
    const destination = JSON.stringify([baseUrl, tls]);
    return usesIn(upstream, `spec.targets[${index}].upstream`, destination);
  });
  return [...ofPools, ...ofTargets];
}

/** Keys of Secrets by Secret, each once, in the order of their names. */
export function secretKeys(specs: readonly PolicySpec[]): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, Set<string>>();
  for (const { name, key } of specs.flatMap(secretUses)) {
    keys.set(name, (keys.get(name) ?? new Set()).add(key));
  }
  const byName = [...keys].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return new Map(byName.map(([name, own]) => [name, [...own].toSorted()]));
}

/** References in whatever block they stand: `secretRef`, `caSecretRef`. */
function usesIn(block: unknown, path: string, destination: string): SecretUse[] {
  if (typeof block !== 'object' || block === null) return [];
  return Object.entries(block).flatMap(([field, value]: [string, unknown]) => {
    const at = Array.isArray(block) ? `${path}[${field}]` : `${path}.${field}`;
    if (!/^(secretRef|\w+SecretRef)$/.test(field)) return usesIn(value, at, destination);
    if (value === undefined) return [];
    const { name, key } = value as SecretRef;
    return [{ name, key, path: at, destination }];
  });
}
