import { join } from 'node:path';
import type {
  PostgresPolicy,
  RedisPolicy,
  ResiliencePolicy,
} from '../../crds/resilience-policy.ts';
import { postgresDefaults, redisDefaults } from '../../crds/resilience-policy.ts';
import type { RedisPlace } from '../redis/redis-options.ts';
import type { HostAndPort } from './connection-url.ts';
import { readPostgresUrl, type PostgresUrl, type TargetSessionAttrs } from './postgres-url.ts';
import { readRedisUrl, type RedisUrl } from './redis-url.ts';
import type { AbsentTargets } from './absent-targets.ts';
import { SettingsError, type SecretName } from './settings-error.ts';
import { type TlsMode, type TlsSettings, tlsSettings } from './tls-choice.ts';

export interface PostgresConnection {
  /** At least one; tried in order. */
  readonly hosts: readonly HostAndPort[];
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly applicationName: string;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly tls: TlsSettings | undefined;
}

/** A pool as the policy has it, and where it connects to. Holds a password: never log it. */
export interface PostgresTarget extends Omit<PostgresPolicy, 'secretRef' | 'tls'> {
  readonly connection: PostgresConnection;
}

export interface RedisConnection {
  readonly place: RedisPlace;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Number of the logical database. */
  readonly database: number;
  readonly tls: TlsSettings | undefined;
}

/** A Redis as the policy has it, and where it is. Holds a password: never log it. */
export interface RedisTarget extends Omit<RedisPolicy, 'secretRef' | 'tls'> {
  readonly connection: RedisConnection;
}

/** Reads a file as UTF-8 text; throws what node:fs throws. */
export type ReadFile = (path: string) => string;

/** The text of a file. `what` says what it is for, in the fault. */
export function readText(path: string, what: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    throw new SettingsError(`${what} ${path} cannot be read (${code})`, { cause });
  }
}

/** The text of a secret of a policy. Throws SettingsError. */
export function readSecret(
  { name, key }: SecretName,
  what: string,
  { secretsDir, readFile }: SecretSources,
): string {
  try {
    return readText(join(secretsDir, name, key), what, readFile);
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    throw new SettingsError(thrown.message, { cause: thrown.cause, missing: { name, key } });
  }
}

export interface SecretSources {
  readonly secretsDir: string;
  readonly readFile: ReadFile;
}

export interface PolicySources extends SecretSources {
  readonly absent: AbsentTargets;
}

/** The pools of all policies that are in force, in their order. */
export const policyPostgres = (
  policies: readonly ResiliencePolicy[],
  sources: PolicySources,
): PostgresTarget[] =>
  inForce(policies).flatMap(({ metadata, spec }) =>
    spec.postgres.flatMap(({ secretRef, tls, ...limits }, index) => {
      const { name } = limits;
      const field = `spec.postgres[${index}].secretRef`;
      return sources.absent.read({ kind: 'Postgres', name, policy: metadata.name, field }, () => {
        const path = secretPath(secretRef, sources);
        const what = `secret of postgres pool "${name}":`;
        const url = readPostgresUrl(readSecret(secretRef, what, sources).trim(), path);
        return postgresTarget(limits, url, { subject: path, tls, sources });
      });
    }),
  );

/** The Redis servers of all policies that are in force, in their order. */
export const policyRedis = (
  policies: readonly ResiliencePolicy[],
  sources: PolicySources,
): RedisTarget[] =>
  inForce(policies).flatMap(({ metadata, spec }) =>
    spec.redis.flatMap(({ secretRef, tls, ...limits }, index) => {
      const { name } = limits;
      const field = `spec.redis[${index}].secretRef`;
      return sources.absent.read({ kind: 'Redis', name, policy: metadata.name, field }, () => {
        const path = secretPath(secretRef, sources);
        const what = `secret of redis pool "${name}":`;
        const url = readRedisUrl(readSecret(secretRef, what, sources).trim(), path);
        return redisTarget(limits, url, { subject: path, tls, sources });
      });
    }),
  );

/** The pool `default` that DATABASE_URL alone defines. */
export const urlPostgres = (url: string, sources: SecretSources): PostgresTarget =>
  postgresTarget(postgresDefaults('default'), readPostgresUrl(url, 'DATABASE_URL'), {
    subject: 'DATABASE_URL',
    sources,
  });

/** The Redis `default` that REDIS_URL alone defines. */
export const urlRedis = (url: string, sources: SecretSources): RedisTarget =>
  redisTarget(redisDefaults('default'), readRedisUrl(url, 'REDIS_URL'), {
    subject: 'REDIS_URL',
    sources,
  });

/** Pools are never shadowed: a shadow policy opens none. */
const inForce = (policies: readonly ResiliencePolicy[]): readonly ResiliencePolicy[] =>
  policies.filter(({ spec }) => spec.mode === 'Enforce');

const secretPath = (ref: PostgresPolicy['secretRef'], { secretsDir }: SecretSources): string =>
  join(secretsDir, ref.name, ref.key);

interface TlsSources {
  /** Where the URL came from, for faults. */
  readonly subject: string;
  readonly tls?: PostgresPolicy['tls'];
  readonly sources: SecretSources;
}

function postgresTarget(
  limits: Omit<PostgresPolicy, 'secretRef' | 'tls'>,
  { tlsMode, caFile, connectTimeoutMs, ...connection }: PostgresUrl,
  { subject, tls, sources }: TlsSources,
): PostgresTarget {
  if (tls !== undefined && tlsMode !== undefined && tls.mode !== tlsMode) {
    throw new SettingsError(
      `${subject} has an sslmode that differs from the policy's tls.mode ${tls.mode} of postgres pool "${limits.name}": take one of them away`,
    );
  }
  const ca =
    caFile === undefined
      ? policyCa(tls, sources)
      : readText(caFile, `sslrootcert of ${subject}:`, sources.readFile);
  return {
    ...limits,
    // The URL stands nearer to the server than the policy.
    pool: connectTimeoutMs === undefined ? limits.pool : { ...limits.pool, connectTimeoutMs },
    connection: { ...connection, tls: tlsSettings(tls?.mode ?? tlsMode ?? 'Disable', ca) },
  };
}

function redisTarget(
  limits: Omit<RedisPolicy, 'secretRef' | 'tls'>,
  { encrypted, ...connection }: RedisUrl,
  { subject, tls, sources }: TlsSources,
): RedisTarget {
  if (tls !== undefined && encrypted !== (tls.mode !== 'Disable')) {
    throw new SettingsError(
      `${subject} is ${encrypted ? 'rediss://' : 'redis://'}, but the policy's tls.mode of redis pool "${limits.name}" is ${tls.mode}: make them agree`,
    );
  }
  const mode: TlsMode = tls?.mode ?? (encrypted ? 'VerifyFull' : 'Disable');
  return {
    ...limits,
    connection: { ...connection, tls: tlsSettings(mode, policyCa(tls, sources)) },
  };
}

function policyCa(tls: PostgresPolicy['tls'], sources: SecretSources): string | undefined {
  if (tls?.caSecretRef === undefined) return undefined;
  return readSecret(tls.caSecretRef, 'caSecretRef:', sources);
}
