import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { nearestName } from '../crds/nearest-name.ts';
import { numberFrom, oneOf, wholeNumber } from '../platform/setting-fields.ts';
import { injectionVariables } from './injection-variables.ts';
import { SettingsError } from './settings-error.ts';

const port = (defaultValue: number, description: string) =>
  wholeNumber(0, 65_535, defaultValue, { description });

/** A name of an object of Kubernetes. */
const objectName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a name as Kubernetes has them');

const name = (defaultValue: string, description: string) =>
  objectName.prefault(defaultValue).meta({ description, default: defaultValue });

/** Every variable that the controller reads. */
export const variablesSchema = z.strictObject({
  HOLDFAST_CONTROLLER_KUBECONFIG: z
    .string()
    .refine((value) => isAbsolute(value), 'must be an absolute path')
    .optional()
    .meta({
      description: 'A kubeconfig whose current context leads to the cluster, outside of pods.',
      without: 'the service account of the pod',
    }),
  HOLDFAST_CONTROLLER_NAMESPACE: objectName.optional().meta({
    description: 'Namespace of the controller: of its Lease, its Service and its certificates.',
    without: 'the namespace of the pod, else `holdfast-system`',
  }),
  HOLDFAST_CONTROLLER_POD_NAME: z
    .string()
    .regex(/^[-a-z0-9.]{1,253}$/, 'must be the name of a pod')
    .optional()
    .meta({
      description: 'Name of this replica, in the Lease and in events.',
      without: 'the name of the host',
    }),
  HOLDFAST_CONTROLLER_ADVERTISE_HOST: z
    .string()
    .regex(/^[-a-zA-Z0-9.:]{1,253}$/, 'must be an address or the name of a host')
    .optional()
    .meta({
      description:
        'Where sidecars reach this very replica (the IP of its pod): the others send them there while it leads.',
      without: 'sidecars are not sent to this replica',
    }),
  HOLDFAST_CONTROLLER_SERVICE_NAME: name(
    'holdfast-controller',
    'Name of the Service in front of all replicas; their certificates are for `<name>.<namespace>.svc`.',
  ),
  HOLDFAST_CONTROLLER_LEASE_NAME: name(
    'holdfast-controller',
    'Name of the Lease by which replicas elect their leader.',
  ),
  HOLDFAST_CONTROLLER_DISCOVERY_PORT: port(
    8443,
    'Port of the sidecars’ streams (gRPC over TLS); 0 takes any free one.',
  ),
  HOLDFAST_CONTROLLER_WEBHOOK_PORT: port(
    9443,
    'Port of the admission webhooks (HTTPS); 0 takes any free one.',
  ),
  HOLDFAST_CONTROLLER_HTTP_PORT: port(
    9464,
    'HTTP port of `/livez`, `/readyz` and `/metrics`, on all interfaces; 0 takes any free one.',
  ),
  HOLDFAST_CONTROLLER_RELIST_MS: wholeNumber(1_000, 86_400_000, 600_000, {
    description: 'Everything that is watched is listed again so often, a tenth more or less.',
  }),
  HOLDFAST_CONTROLLER_LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    {
      description:
        'Least urgent log line that is written: trace, debug, info, warn, error, fatal or silent.',
    },
  ),
  HOLDFAST_CONTROLLER_GRACE_MS: wholeNumber(0, 3_600_000, 10_000, {
    description:
      'After SIGTERM, what is under way has so many ms to finish. Keep it below the pod’s `terminationGracePeriodSeconds`.',
  }),
  HOLDFAST_CONTROLLER_MEMORY_BYTES: numberFrom(128 * 1024 ** 2, 1024 ** 4)
    .optional()
    .meta({
      description: 'Memory that the controller may take; half of it is for its heap.',
      without: 'the limit of its cgroup, if there is one',
    }),
  ...injectionVariables,
});

export type Variables = Readonly<z.output<typeof variablesSchema>>;

const prefix = 'HOLDFAST_CONTROLLER_';
const names = Object.keys(variablesSchema.shape);

/** Reads the variables of the environment that are ours. @throws SettingsError that names the variable, the fault and the remedy. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Variables {
  const ours = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith(prefix) && entry[1] !== undefined && !isServiceLink(entry[0], entry[1]),
  );
  for (const [variable, value] of ours) {
    if (!names.includes(variable)) {
      const nearest = nearestName(variable, names);
      throw new SettingsError(
        `${variable} is no setting${nearest === undefined ? ': docs/controller-settings.md lists them' : `: is ${nearest} meant?`}`,
      );
    }
    if (value === '') {
      throw new SettingsError(`${variable} is empty: give it a value or leave it out`);
    }
  }
  const parsed = variablesSchema.safeParse(Object.fromEntries(ours));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SettingsError(`${String(issue?.path[0])} ${issue?.message}`);
}

/** Kubernetes gives a pod such variables for the Service `holdfast-controller` of its own namespace. */
const isServiceLink = (variable: string, value: string): boolean =>
  /^HOLDFAST_CONTROLLER_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(
    variable,
  ) ||
  (/^HOLDFAST_CONTROLLER_(\w+_)?PORT$/.test(variable) && /^(tcp|udp|sctp):\/\//.test(value));
