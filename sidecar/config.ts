import { readFileSync } from 'node:fs';
import type { LockSettings, ResiliencePolicy } from '../crds/resilience-policy.ts';
import { readEnvFile } from './settings/env-file.ts';
import { type AbsentTarget, AbsentTargets } from './settings/absent-targets.ts';
import { type ControllerSettings, controllerSettings } from './settings/controller-settings.ts';
import { type GivenPolicies, leavesOut, remembering } from './settings/given-policies.ts';
import { checkTargets, policyLocks, readPolicies } from './settings/policy-settings.ts';
import { SettingsError } from './settings/settings-error.ts';
import {
  type PostgresTarget,
  policyPostgres,
  policyRedis,
  readText,
  type ReadFile,
  type RedisTarget,
  urlPostgres,
  urlRedis,
} from './settings/targets.ts';
import { policyUpstreams, type UpstreamTarget } from './settings/upstream-targets.ts';
import {
  readVariables,
  unknownVariable,
  variableNames,
  type Variables,
} from './settings/variables.ts';

export { SettingsError } from './settings/settings-error.ts';
export type {
  PostgresConnection,
  PostgresTarget,
  RedisConnection,
  RedisTarget,
} from './settings/targets.ts';
export type { TlsSettings } from './settings/tls-choice.ts';

/** All that the sidecar is told from outside; read once. Holds passwords and the token: never log it. */
export interface Settings {
  /** Pools of different names; empty when a policy names none. */
  readonly postgres: readonly PostgresTarget[];
  /** Servers of different names; empty when Redis is off, or a policy names none. */
  readonly redis: readonly RedisTarget[];
  /** HTTP servers of different names. */
  readonly upstreams: readonly UpstreamTarget[];
  /** Undefined when the policy has none. */
  readonly locks: LockSettings | undefined;
  /** REDIS_URL=off: somebody said that there is no Redis. */
  readonly redisOff: boolean;
  /** As the policy file has them, those in shadow mode included. */
  readonly policies: readonly ResiliencePolicy[];
  /** Targets of the policies that have to do without, because their secrets are not mounted. */
  readonly absent: readonly AbsentTarget[];
  readonly policyFile: string | undefined;
  /** SHA-256 of the policy file, or the version that the controller gave its policies, in hex; empty without any. */
  readonly policyDigest: string;
  /** Where policies come from, if it is not a file. */
  readonly controller: ControllerSettings | undefined;
  readonly server: ServerSettings;
  /** Folder for what outlives a restart. */
  readonly stateDir: string | undefined;
  readonly logLevel: Variables['HOLDFAST_LOG_LEVEL'];
  /** How long calls in flight may take to finish after SIGTERM. */
  readonly graceMs: number;
}

/** At least one of `socket` and `tcp` is there. */
export interface ServerSettings {
  /** Path of the Unix socket, at most 107 bytes. */
  readonly socket: string | undefined;
  /** Permissions of the socket. */
  readonly socketMode: number;
  readonly tcp: TcpSettings | undefined;
  /** On all interfaces; 0 is any free one. */
  readonly httpPort: number;
  /** Of one gRPC message, either way. */
  readonly maxMessageBytes: number;
  readonly session: SessionSettings;
}

export interface TcpSettings {
  /** A loopback address. */
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
  /** What callers send as `authorization: Bearer …`. */
  readonly token: string;
}

export interface SessionSettings {
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  readonly stallMs: number;
}

/** Reads the settings again, with policies of the controller if it gave some. Throws SettingsError. */
export type Reread = (given?: GivenPolicies) => Settings;

/** What `readSettings` reads besides the environment. */
export const diskFile: ReadFile = (path) => readFileSync(path, 'utf8');

/**
 * Reads the settings from the environment, HOLDFAST_CONFIG_FILE, the policy file and the secrets it names. With a controller the policies are those
 * `given`, if any.
 *
 * @throws SettingsError with one line that names what is wrong and what to do, and holds no secret.
 */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile = diskFile,
  given?: GivenPolicies,
): Settings {
  const variables = readVariables(gather(env, readFile));
  const controller = controllerSettings(variables, readFile);
  const { policies, digest } =
    given === undefined
      ? readPolicies(variables.HOLDFAST_POLICY_FILE, readFile)
      : { policies: given.policies, digest: given.version };
  const absent = new AbsentTargets(leavesOut(given));
  const sources = {
    secretsDir: variables.HOLDFAST_SECRETS_DIR,
    readFile: given === undefined ? readFile : remembering(readFile, given),
    absent,
  };
  const redisOff = variables.REDIS_URL === 'off';
  const postgres = policyPostgres(policies, sources);
  const redis = redisOff ? [] : policyRedis(policies, sources);
  const namesPools = policies.some(({ spec }) => spec.postgres.length + spec.redis.length > 0);
  const pools = {
    postgres: withUrl(
      'DATABASE_URL',
      postgres,
      variables.DATABASE_URL === undefined
        ? undefined
        : urlPostgres(variables.DATABASE_URL, sources),
      !namesPools && controller === undefined,
    ),
    redis: redisOff
      ? []
      : withUrl(
          'REDIS_URL',
          redis,
          variables.REDIS_URL === undefined ? undefined : urlRedis(variables.REDIS_URL, sources),
          policies.length === 0 && controller === undefined,
        ),
  };
  const known = {
    postgres: [...pools.postgres, ...absent.of('Postgres')],
    redis: [...pools.redis, ...absent.of('Redis')],
  };
  const origin = controller === undefined ? 'HOLDFAST_POLICY_FILE: ' : '';
  checkTargets(policies, known, redisOff, origin);
  return {
    ...pools,
    locks: policyLocks(policies, known, redisOff, origin),
    upstreams: policyUpstreams(policies, sources),
    absent: absent.all,
    controller,
    redisOff,
    policies,
    policyFile: variables.HOLDFAST_POLICY_FILE,
    policyDigest: digest,
    server: serverSettings(variables, readFile),
    stateDir: variables.HOLDFAST_STATE_DIR,
    logLevel: variables.HOLDFAST_LOG_LEVEL,
    graceMs: variables.HOLDFAST_GRACE_MS,
  };
}

/** The variables that are ours; the environment goes before the file. */
function gather(
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): ReadonlyMap<string, string> {
  const ours = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (isServiceLink(name, value)) continue;
    if (variableNames.includes(name) || name.startsWith('HOLDFAST_')) ours.set(name, value);
  }
  const path = ours.get('HOLDFAST_CONFIG_FILE');
  if (path === undefined || path === '') return ours;
  const fromFile = readEnvFile(readText(path, 'HOLDFAST_CONFIG_FILE', readFile), path);
  for (const name of fromFile.keys()) {
    if (!variableNames.includes(name)) throw new SettingsError(`${path}: ${unknownVariable(name)}`);
    if (name === 'HOLDFAST_CONFIG_FILE') {
      throw new SettingsError(`${path}: ${name} cannot stand in itself`);
    }
    if (name === 'HOLDFAST_MEMORY_BYTES') {
      throw new SettingsError(`${path}: ${name} is only taken from the environment`);
    }
  }
  return new Map([...fromFile, ...ours]);
}

/** Kubernetes gives a pod such variables for each Service of its namespace, here for one called `holdfast` or `holdfast-…`. */
const isServiceLink = (name: string, value: string): boolean =>
  /^HOLDFAST_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(
    name,
  ) ||
  (/^HOLDFAST_(\w+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value));

/** The targets of the policies, and `default` from a variable. Nobody should have to guess which of two would win. */
function withUrl<Target extends { readonly name: string }>(
  variable: string,
  fromPolicies: readonly Target[],
  fromUrl: Target | undefined,
  needed: boolean,
): readonly Target[] {
  if (fromUrl === undefined) {
    if (!needed) return fromPolicies;
    const off = variable === 'REDIS_URL' ? ', set it to off' : '';
    throw new SettingsError(
      `${variable} is missing: set it${off}, or name a pool in HOLDFAST_POLICY_FILE`,
    );
  }
  if (fromPolicies.some(({ name }) => name === fromUrl.name)) {
    throw new SettingsError(
      `${variable} and the policy both define the pool "${fromUrl.name}": take one of them away`,
    );
  }
  return [...fromPolicies, fromUrl];
}

function serverSettings(variables: Variables, readFile: ReadFile): ServerSettings {
  const socket = variables.HOLDFAST_SOCKET === 'off' ? undefined : variables.HOLDFAST_SOCKET;
  const port = variables.HOLDFAST_PORT;
  if (socket === undefined && port === undefined) {
    throw new SettingsError(
      'HOLDFAST_SOCKET is off and HOLDFAST_PORT is not set: serve at least one of them',
    );
  }
  return {
    socket,
    socketMode: Number.parseInt(variables.HOLDFAST_SOCKET_MODE, 8),
    tcp:
      port === undefined
        ? undefined
        : {
            host: variables.HOLDFAST_HOST,
            port,
            token: readToken(variables.HOLDFAST_TOKEN_FILE, readFile),
          },
    httpPort: variables.HOLDFAST_HTTP_PORT,
    maxMessageBytes: variables.HOLDFAST_MAX_MESSAGE_BYTES,
    session: {
      maxInFlight: variables.HOLDFAST_SESSION_MAX_IN_FLIGHT,
      maxInFlightBytes: variables.HOLDFAST_SESSION_MAX_BYTES,
      stallMs: variables.HOLDFAST_SESSION_STALL_MS,
    },
  };
}

function readToken(path: string | undefined, readFile: ReadFile): string {
  if (path === undefined) {
    throw new SettingsError(
      'HOLDFAST_PORT needs HOLDFAST_TOKEN_FILE: every process on the machine can reach a TCP port',
    );
  }
  const token = readText(path, 'HOLDFAST_TOKEN_FILE', readFile).trim();
  if (!/^[-A-Za-z0-9._~+/]{32,}=*$/.test(token)) {
    throw new SettingsError(
      `HOLDFAST_TOKEN_FILE ${path} holds no token: it needs at least 32 characters of base64url, such as \`openssl rand -base64 32\` makes`,
    );
  }
  return token;
}
