import type { LocatedPolicy } from '../crds/policy-file.ts';
import { pathText } from '../crds/schema-faults.ts';

/** What is no fault of a policy by itself, but will be one if nobody else names the pool: one line each. */
export function policyWarnings(policies: readonly LocatedPolicy[]): readonly string[] {
  // A policy in shadow mode opens no pool.
  const enforced = policies.filter(({ policy }) => policy.spec.mode === 'Enforce');
  const names = (list: 'postgres' | 'redis'): ReadonlySet<string> =>
    new Set(enforced.flatMap(({ policy }) => policy.spec[list].map(({ name }) => name)));
  const known = { Postgres: names('postgres'), Redis: names('redis') };
  return policies.flatMap(({ policy, placeOf }) =>
    poolsUsedBy(policy).flatMap(({ path, kind, name }) => {
      if (known[kind].has(name)) return [];
      const what = kind === 'Postgres' ? 'PostgreSQL pool' : 'Redis';
      const variable = kind === 'Postgres' ? 'DATABASE_URL' : 'REDIS_URL';
      const others = name === 'default' ? `another policy or ${variable}` : 'another policy';
      return [
        `${placeOf(path)}: warning: ${pathText(path)}: no policy here has a ${what} "${name}"; ${others} has to name it`,
      ];
    }),
  );
}

interface PoolUse {
  readonly path: readonly (string | number)[];
  readonly kind: 'Postgres' | 'Redis';
  readonly name: string;
}

function poolsUsedBy({ spec }: LocatedPolicy['policy']): PoolUse[] {
  const { targets, locks, tracing } = spec;
  const uses: PoolUse[] = [];
  for (const [index, { kind, name, cost }] of targets.entries()) {
    const path = ['spec', 'targets', index];
    if (kind === 'Postgres' || kind === 'Redis') uses.push({ path: [...path, 'name'], kind, name });
    if (cost?.scope === 'Fleet') {
      uses.push({ path: [...path, 'cost', 'database'], kind: 'Postgres', name: cost.database });
    }
  }
  if (locks !== undefined) {
    uses.push({ path: ['spec', 'locks', 'server'], kind: locks.authority, name: locks.server });
  }
  if (tracing?.storeIn !== undefined) {
    const { database } = tracing.storeIn;
    uses.push({
      path: ['spec', 'tracing', 'storeIn', 'database'],
      kind: 'Postgres',
      name: database,
    });
  }
  return uses;
}
