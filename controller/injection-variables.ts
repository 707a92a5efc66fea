import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { oneOf } from '../platform/setting-fields.ts';
import { version } from '../platform/version.ts';
import type { InjectionSettings } from './admission/inject.ts';
import { quantity } from './admission/quantity.ts';
import { servingNames } from './certificates/serving-certificates.ts';
import { SettingsError } from './settings-error.ts';

const text = (pattern: RegExp, fault: string, defaultValue: string, description: string) =>
  z
    .string()
    .regex(pattern, fault)
    .prefault(defaultValue)
    .meta({ description, default: defaultValue });

const amount = (defaultValue: string, description: string) =>
  z
    .string()
    .refine((value) => quantity(value) !== undefined, 'must be a quantity such as 100m or 128Mi')
    .prefault(defaultValue)
    .meta({ description, default: defaultValue });

const name = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const nameFault = 'must be a name as Kubernetes has them';
const nameList = /^[a-z0-9][-a-z0-9]{0,62}(,[a-z0-9][-a-z0-9]{0,62})*$/;

/** Variables that say what is injected, and how the API server reaches the webhooks. */
export const injectionVariables = {
  HOLDFAST_CONTROLLER_TLS_DIR: z
    .string()
    .refine((value) => isAbsolute(value), 'must be an absolute path')
    .optional()
    .meta({
      description:
        'Folder with `tls.crt`, `tls.key` and `ca.crt` that somebody else renews, cert-manager for example; new files are taken as they come.',
      without: 'the controller makes its own, in the Secret `holdfast-controller-tls`',
    }),
  HOLDFAST_CONTROLLER_SERVICE_ACCOUNT: text(
    name,
    nameFault,
    'holdfast-controller',
    'Name of the service account of the controller, whose own writes its webhooks pass.',
  ),
  HOLDFAST_CONTROLLER_WEBHOOK_NAME: text(
    name,
    nameFault,
    'holdfast-controller',
    'Name of both webhook configurations, whose `caBundle` the controller keeps right.',
  ),
  HOLDFAST_CONTROLLER_RESERVED_NAMESPACES: text(
    nameList,
    'must be names of namespaces with commas between them',
    'kube-system,kube-public,kube-node-lease',
    'Namespaces whose pods are never touched, with commas between them; that of the controller is always one.',
  ),
  HOLDFAST_CONTROLLER_ADDRESS: z
    .string()
    .regex(/^[-a-zA-Z0-9.[\]:]{1,253}:\d{1,5}$/, 'must be host:port')
    .optional()
    .meta({
      description: 'Where injected sidecars connect to.',
      without: '`<service>.<namespace>.svc:8443`',
    }),
  HOLDFAST_CONTROLLER_SIDECAR_IMAGE: text(
    /^\S{1,512}$/,
    'must be the reference of an image',
    `holdfast/sidecar:${version}`,
    'Image of injected sidecars.',
  ),
  HOLDFAST_CONTROLLER_SIDECAR_PULL_POLICY: oneOf(
    ['Always', 'IfNotPresent', 'Never'],
    'IfNotPresent',
    { description: 'When that image is pulled.' },
  ),
  HOLDFAST_CONTROLLER_SIDECAR_CPU: amount('100m', 'CPU that an injected sidecar asks for.'),
  HOLDFAST_CONTROLLER_SIDECAR_CPU_LIMIT: amount('1', 'CPU that it may take.'),
  HOLDFAST_CONTROLLER_SIDECAR_MEMORY: amount('128Mi', 'Memory that an injected sidecar asks for.'),
  HOLDFAST_CONTROLLER_SIDECAR_MEMORY_LIMIT: amount('256Mi', 'Memory that it may take.'),
  HOLDFAST_CONTROLLER_SIDECAR_LOG_LEVEL: oneOf(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    { description: 'HOLDFAST_LOG_LEVEL of injected sidecars.' },
  ),
  HOLDFAST_CONTROLLER_SIDECAR_USER: text(
    /^(namespace|[1-9]\d{0,8})$/,
    'must be a number above 0, or namespace',
    '65532',
    'User and group of injected sidecars; `namespace` where the cluster gives each namespace its own (OpenShift).',
  ),
};

const schema = z.object(injectionVariables);
type InjectionVariables = Readonly<z.output<typeof schema>>;

/** Settings of certificates and webhooks. */
export interface WebhookSettings {
  /** Undefined when the controller makes its own certificates. */
  readonly tlsDir: string | undefined;
  /** DNS names of the certificates that it makes. */
  readonly servingNames: readonly string[];
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
  /** Name of both webhook configurations. */
  readonly configurations: string;
  readonly injection: InjectionSettings;
}

/** @throws SettingsError when limits are below requests. */
export function webhookSettingsOf(
  variables: InjectionVariables,
  namespace: string,
  serviceName: string,
): WebhookSettings {
  for (const kind of ['CPU', 'MEMORY'] as const) {
    const request = variables[`HOLDFAST_CONTROLLER_SIDECAR_${kind}`];
    const limit = variables[`HOLDFAST_CONTROLLER_SIDECAR_${kind}_LIMIT`];
    if ((quantity(request) ?? 0) > (quantity(limit) ?? 0)) {
      throw new SettingsError(
        `HOLDFAST_CONTROLLER_SIDECAR_${kind} must be at most HOLDFAST_CONTROLLER_SIDECAR_${kind}_LIMIT (${limit})`,
      );
    }
  }
  const user = variables.HOLDFAST_CONTROLLER_SIDECAR_USER;
  const host = `${serviceName}.${namespace}.svc`;
  return {
    tlsDir: variables.HOLDFAST_CONTROLLER_TLS_DIR,
    servingNames: servingNames(namespace, serviceName),
    serviceAccount: { namespace, name: variables.HOLDFAST_CONTROLLER_SERVICE_ACCOUNT },
    configurations: variables.HOLDFAST_CONTROLLER_WEBHOOK_NAME,
    injection: {
      defaults: {
        image: variables.HOLDFAST_CONTROLLER_SIDECAR_IMAGE,
        resources: {
          requests: {
            cpu: variables.HOLDFAST_CONTROLLER_SIDECAR_CPU,
            memory: variables.HOLDFAST_CONTROLLER_SIDECAR_MEMORY,
          },
          limits: {
            cpu: variables.HOLDFAST_CONTROLLER_SIDECAR_CPU_LIMIT,
            memory: variables.HOLDFAST_CONTROLLER_SIDECAR_MEMORY_LIMIT,
          },
        },
        logLevel: variables.HOLDFAST_CONTROLLER_SIDECAR_LOG_LEVEL,
      },
      imagePullPolicy: variables.HOLDFAST_CONTROLLER_SIDECAR_PULL_POLICY,
      controllerAddress: variables.HOLDFAST_CONTROLLER_ADDRESS ?? `${host}:8443`,
      controllerName: host,
      runAsUser: user === 'namespace' ? undefined : Number(user),
      reservedNamespaces: [
        ...new Set([...variables.HOLDFAST_CONTROLLER_RESERVED_NAMESPACES.split(','), namespace]),
      ],
    },
  };
}
