import { isIPv4 } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { nearestName } from '../../crds/nearest-name.ts';
import { type About, numberFrom, oneOf, wholeNumber } from '../../platform/setting-fields.ts';
import { SettingsError } from './settings-error.ts';

const mebibyte = 1024 * 1024;

const absolutePath = z
  .string()
  .refine((value) => isAbsolute(value) && !value.includes('\0'), 'must be an absolute path');

const optionalPath = (about: About) => absolutePath.optional().meta({ ...about });

/** Every variable that the sidecar reads, from the environment or from HOLDFAST_CONFIG_FILE. */
export const variablesSchema = z.strictObject({
  DATABASE_URL: z.string().optional().meta({
    description:
      'PostgreSQL for the pool `default`, all of whose limits are at their defaults. `postgresql://user:password@host:5432/database`, with further hosts behind commas and the options below.',
    without: 'required, unless a policy file names pools, or there is a controller',
  }),
  REDIS_URL: z.string().optional().meta({
    description:
      'Redis for the name `default`: `redis://user:password@host:6379/0`, `redis+sentinel://…` or `redis+cluster://…`, with `rediss` for TLS. `off`: there is no Redis, whatever the policy says; every Redis call fails with REDIS_OFF.',
    without: 'required, unless there is a policy file or a controller',
  }),
  HOLDFAST_SOCKET: z
    .string()
    .refine((value) => value === 'off' || isAbsolute(value), 'must be an absolute path, or off')
    .refine((value) => Buffer.byteLength(value) <= 107, 'must be at most 107 bytes long')
    .prefault('/run/holdfast/holdfast.sock')
    .meta({
      description: 'Path of the Unix socket that serves gRPC, at most 107 bytes; `off` for none.',
      default: '/run/holdfast/holdfast.sock',
    }),
  HOLDFAST_SOCKET_MODE: z
    .enum(['0660', '0666'], { error: 'must be 0660 or 0666' })
    .default('0660')
    .meta({
      description:
        'Who can open it: `0660` its owner and group, `0666` everybody who sees it. In a pod only containers that mount its folder do, as whatever user.',
      default: '0660',
    }),
  HOLDFAST_PORT: numberFrom(0, 65_535).optional().meta({
    description: 'TCP port that serves gRPC too; 0 takes any free one. Needs HOLDFAST_TOKEN_FILE.',
    without: 'no TCP',
  }),
  HOLDFAST_HOST: z
    .string()
    .refine(
      (value) =>
        value === 'localhost' || value === '::1' || (isIPv4(value) && value.startsWith('127.')),
      'must be a loopback address (127.0.0.1, ::1 or localhost): the token travels in plain text',
    )
    .prefault('127.0.0.1')
    .meta({ description: 'Loopback address of HOLDFAST_PORT.', default: '127.0.0.1' }),
  HOLDFAST_TOKEN_FILE: optionalPath({
    description:
      'File with the token that TCP callers send as `authorization: Bearer …`; at least 32 characters, best 32 random bytes in base64url, in a file of mode 0600.',
    without: 'required with HOLDFAST_PORT',
  }),
  HOLDFAST_HTTP_PORT: wholeNumber(0, 65_535, 9464, {
    description:
      'HTTP port of `/livez`, `/readyz` and `/metrics`, on all interfaces; 0 takes any free one.',
  }),
  HOLDFAST_POLICY_FILE: optionalPath({
    description:
      'A `ResiliencePolicy` manifest (or several) as kubectl takes it. Its selector is not looked at here.',
    without: 'no policy',
  }),
  HOLDFAST_CONTROLLER: z
    .string()
    .regex(
      /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):\d{1,5}$/,
      'must be host:port',
    )
    .optional()
    .meta({
      description:
        'Address (`host:port`) of the controller that policies come from, instead of a file. Needs HOLDFAST_STATE_DIR and one of HOLDFAST_CONTROLLER_CA and HOLDFAST_CONTROLLER_CA_FILE.',
      without: 'no controller',
    }),
  HOLDFAST_CONTROLLER_CA: z.string().optional().meta({
    description: 'Certificates (PEM) that the controller’s is checked with.',
    without: 'required with HOLDFAST_CONTROLLER, or the next one',
  }),
  HOLDFAST_CONTROLLER_CA_FILE: optionalPath({
    description: 'File with these certificates; read for each connection.',
    without: 'required with HOLDFAST_CONTROLLER, or the last one',
  }),
  HOLDFAST_CONTROLLER_NAME: z
    .string()
    .regex(/^[-A-Za-z0-9.:]{1,253}$/, 'must be a host name')
    .optional()
    .meta({
      description: 'Name that the controller’s certificate must have.',
      without: 'the host of HOLDFAST_CONTROLLER',
    }),
  HOLDFAST_CONTROLLER_TOKEN_FILE: absolutePath.prefault('/var/run/secrets/holdfast/token').meta({
    description:
      'File with the token that tells the controller which pod this is; read for each connection, because it rotates.',
    default: '/var/run/secrets/holdfast/token',
  }),
  HOLDFAST_SECRETS_DIR: absolutePath.prefault('/etc/holdfast/secrets').meta({
    description:
      'Folder of the secrets that a policy names: `secretRef` is `<folder>/<name>/<key>`.',
    default: '/etc/holdfast/secrets',
  }),
  HOLDFAST_STATE_DIR: optionalPath({
    description:
      'Folder for what must outlive a restart of the sidecar, such as the last good policy.',
    without: 'nothing is kept',
  }),
  HOLDFAST_CONFIG_FILE: optionalPath({
    description:
      'File of `NAME=value` lines with any of these names but its own; the environment goes before it.',
    without: 'no file',
  }),
  HOLDFAST_LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    {
      description:
        'Least urgent log line that is written: trace, debug, info, warn, error, fatal or silent.',
    },
  ),
  HOLDFAST_GRACE_MS: wholeNumber(0, 3_600_000, 25_000, {
    description:
      'After SIGTERM, calls in flight have so many ms to finish. Keep it below the pod’s `terminationGracePeriodSeconds`.',
  }),
  HOLDFAST_MEMORY_BYTES: numberFrom(128 * mebibyte, 1024 * 1024 * mebibyte)
    .optional()
    .meta({
      description:
        'Memory that the sidecar may take: size of its heap and when it refuses calls follow from it. Only from the environment: the heap is made before any file is read.',
      without: 'the limit of its cgroup, if there is one',
    }),
  HOLDFAST_SESSION_MAX_IN_FLIGHT: wholeNumber(1, 1_000_000, 12_000, {
    description: 'Calls of one session without an answer yet; more are refused with SESSION_LIMIT.',
  }),
  HOLDFAST_SESSION_MAX_BYTES: wholeNumber(65_536, 1024 * mebibyte, 64 * mebibyte, {
    description:
      'Bytes of requests of one session without an answer yet; more are refused with SESSION_LIMIT.',
  }),
  HOLDFAST_MAX_MESSAGE_BYTES: wholeNumber(65_536, 1024 * mebibyte, 64 * mebibyte, {
    description: 'Bytes of one gRPC message, either way.',
  }),
  HOLDFAST_SESSION_STALL_MS: wholeNumber(100, 3_600_000, 30_000, {
    description:
      'A session whose client takes nothing for so many ms, while answers wait for it, is ended.',
  }),
});

export type Variables = Readonly<z.output<typeof variablesSchema>>;

/** All names, in the order of the schema. */
export const variableNames: readonly string[] = Object.keys(variablesSchema.shape);

/** Reads variables that came from `source`: `` for the environment, or the place of a file for its faults. */
export function readVariables(values: ReadonlyMap<string, string>): Variables {
  for (const [name, value] of values) {
    if (!variableNames.includes(name)) throw new SettingsError(unknownVariable(name));
    // The URLs' own readers say more about an empty one.
    if (value === '' && !name.endsWith('_URL')) {
      throw new SettingsError(`${name} is empty: give it a value or leave it out`);
    }
  }
  const parsed = variablesSchema.safeParse(Object.fromEntries(values));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SettingsError(`${String(issue?.path[0])} ${issue?.message}`);
}

export function unknownVariable(name: string): string {
  const nearest = nearestName(name, variableNames);
  return `${name} is no setting${nearest === undefined ? ': docs/settings.md lists them' : `: is ${nearest} meant?`}`;
}
