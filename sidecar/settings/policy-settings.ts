import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { PolicyFileError, readPolicyFile } from '../../crds/policy-file.ts';
import type { LockSettings, ResiliencePolicy } from '../../crds/resilience-policy.ts';
import { SettingsError } from './settings-error.ts';
import { readText, type ReadFile } from './targets.ts';

const mostFaults = 100;

/** What is wrong, a line for each fault; of very many the first ones. */
export function faultsOf({ message, cause }: Error): readonly string[] {
  if (!(cause instanceof PolicyFileError)) return [message];
  const { faults } = cause;
  if (faults.length <= mostFaults) return faults;
  return [...faults.slice(0, mostFaults), `and ${faults.length - mostFaults} more faults`];
}

interface PolicyFile {
  readonly policies: readonly ResiliencePolicy[];
  readonly digest: string;
}

const noFile: PolicyFile = { policies: [], digest: '' };
/** The last one that was read: it is read again each second, and hardly ever another one. */
let lastFile = noFile;
/** And the last one that cannot be used: finding that out again each second would take time from calls. */
let lastFault: { readonly digest: string; readonly error: SettingsError } | undefined;

/** Reads HOLDFAST_POLICY_FILE. Throws SettingsError with the first fault; `faultsOf` has all of them. */
export function readPolicies(path: string | undefined, readFile: ReadFile): PolicyFile {
  if (path === undefined) return noFile;
  const text = readText(path, 'HOLDFAST_POLICY_FILE', readFile);
  const digest = createHash('sha256').update(text).digest('hex');
  if (digest === lastFile.digest) return lastFile;
  if (digest === lastFault?.digest) throw lastFault.error;
  try {
    lastFile = { policies: readPolicyFile(text, path), digest };
    return lastFile;
  } catch (thrown) {
    if (!(thrown instanceof PolicyFileError)) throw thrown;
    const [first, ...others] = thrown.faults;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    const error = new SettingsError(`HOLDFAST_POLICY_FILE ${first}${more}`, { cause: thrown });
    lastFault = { digest, error };
    throw error;
  }
}

interface Pools {
  readonly postgres: readonly Named[];
  readonly redis: readonly Named[];
}

/** A target that stands before nothing would protect nobody. `origin` begins the faults. Throws SettingsError. */
export function checkTargets(
  policies: readonly ResiliencePolicy[],
  pools: Pools,
  redisOff: boolean,
  origin: string,
): void {
  const named = { Postgres: pools.postgres, Redis: pools.redis };
  const databases = pools.postgres.map(({ name }) => name);
  for (const { metadata, spec } of policies) {
    spec.targets.forEach(({ kind, name, cost }, index) => {
      const at = { policy: metadata.name, path: `spec.targets[${index}]`, origin };
      const isOff = kind === 'Redis' && redisOff;
      if (kind === 'Postgres' || (kind === 'Redis' && !isOff)) {
        const names = named[kind].map((pool) => pool.name);
        if (!names.includes(name)) {
          throw faultAt(
            at,
            '.name',
            `no ${kind} pool is called "${name}"; there is ${listed(names)}`,
          );
        }
      }
      if (cost?.scope === 'Fleet' && !databases.includes(cost.database)) {
        throw faultAt(
          at,
          '.cost.database',
          `no Postgres pool is called "${cost.database}"; there is ${listed(databases)}`,
        );
      }
    });
  }
}

/** What the policies in force say of locks; undefined when they say nothing. Throws SettingsError. */
export function policyLocks(
  policies: readonly ResiliencePolicy[],
  pools: Pools,
  redisOff: boolean,
  origin: string,
): LockSettings | undefined {
  const inForce = policies.filter(
    ({ spec }) => spec.mode === 'Enforce' && spec.locks !== undefined,
  );
  const [policy, other] = inForce;
  if (policy?.spec.locks === undefined) return undefined;
  const at = { policy: policy.metadata.name, path: 'spec.locks', origin };
  if (other !== undefined) {
    throw faultAt(
      at,
      '',
      `policy "${other.metadata.name}" has locks too; two authorities would grant one lock twice`,
    );
  }
  const { authority, server } = policy.spec.locks;
  const names = (authority === 'Redis' ? pools.redis : pools.postgres).map(({ name }) => name);
  if (!names.includes(server) && !(authority === 'Redis' && redisOff)) {
    throw faultAt(
      at,
      '.server',
      `no ${authority} pool is called "${server}"; there is ${listed(names)}`,
    );
  }
  return policy.spec.locks;
}

interface Place {
  readonly policy: string;
  readonly path: string;
  readonly origin: string;
}

const faultAt = ({ policy, path, origin }: Place, field: string, message: string): SettingsError =>
  new SettingsError(`${origin}policy "${policy}", ${path}${field}: ${message}`, {
    fault: { policy, field: `${path}${field}`, message },
  });

interface Named {
  readonly name: string;
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ');

/** Tells one version of a file from another without reading it; empty without one. What is wrong with it is told by who reads it. */
export function fileSignature(path: string | undefined): string {
  if (path === undefined) return '';
  try {
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (thrown) {
    return String((thrown as NodeJS.ErrnoException).code);
  }
}
