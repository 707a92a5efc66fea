import { socketFolder, type Wishes } from './annotations.ts';
import type { Container, Volume, VolumeMount } from './pod.ts';

/** Name of the container; of a volume it is the first part. */
export const sidecarName = 'holdfast';
export const socketVolume = 'holdfast-socket';
export const secretsVolume = 'holdfast-secrets';
const stateVolume = 'holdfast-state';
const tokenVolume = 'holdfast-token';

const stateFolder = '/var/lib/holdfast';
const secretsFolder = '/var/run/holdfast/secrets';
const tokenFolder = '/var/run/secrets/holdfast';
const apiTokenFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What tokens for the controller are for; it takes no others. */
const audience = 'holdfast-controller';
const socketName = 's.sock';

/** The address of the sidecar for a container that has the socket's folder at this path. */
export const socketAddress = (folder: string): string => `unix:${folder}/${socketName}`;

export const secretsMount: VolumeMount = {
  name: secretsVolume,
  mountPath: secretsFolder,
  readOnly: true,
};

/** What every sidecar is told; the same in all pods. */
export interface SidecarSettings {
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** `host:port` of the discovery service. */
  readonly controllerAddress: string;
  /** The name in the controller's certificate. */
  readonly controllerName: string;
  /** User and group of the process; undefined where the cluster gives every namespace its own (OpenShift). */
  readonly runAsUser: number | undefined;
}

export interface SidecarParts {
  readonly settings: SidecarSettings;
  readonly wishes: Wishes;
  /** PEM of the controller's authorities; undefined = public ones. */
  readonly authorities: string | undefined;
  /** Of the pod; undefined = 30 s. */
  readonly terminationGraceSeconds: number | undefined;
}

/** The native sidecar: an init container that stays. */
export const sidecarContainer = ({
  settings,
  wishes,
  authorities,
  terminationGraceSeconds = 30,
}: SidecarParts): Container => ({
  name: sidecarName,
  image: wishes.image,
  imagePullPolicy: settings.imagePullPolicy,
  restartPolicy: 'Always',
  env: [
    { name: 'HOLDFAST_SOCKET', value: `${socketFolder}/${socketName}` },
    // The application's containers may run as anybody; whoever does not mount the folder does not see it.
    { name: 'HOLDFAST_SOCKET_MODE', value: '0666' },
    { name: 'HOLDFAST_HTTP_PORT', value: String(wishes.httpPort) },
    { name: 'HOLDFAST_LOG_LEVEL', value: wishes.logLevel },
    { name: 'HOLDFAST_STATE_DIR', value: stateFolder },
    { name: 'HOLDFAST_SECRETS_DIR', value: secretsFolder },
    { name: 'HOLDFAST_CONTROLLER', value: settings.controllerAddress },
    { name: 'HOLDFAST_CONTROLLER_NAME', value: settings.controllerName },
    { name: 'HOLDFAST_CONTROLLER_TOKEN_FILE', value: `${tokenFolder}/token` },
    ...(authorities === undefined ? [] : [{ name: 'HOLDFAST_CONTROLLER_CA', value: authorities }]),
    // The sidecar has to be done before kubelet kills it.
    ...(terminationGraceSeconds >= 30
      ? []
      : [
          {
            name: 'HOLDFAST_GRACE_MS',
            value: String(Math.max(500, terminationGraceSeconds * 1_000 - 5_000)),
          },
        ]),
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
  ],
  ports: [{ name: 'holdfast-http', containerPort: wishes.httpPort, protocol: 'TCP' }],
  startupProbe: probe('/readyz', wishes.httpPort, { periodSeconds: 1, failureThreshold: 60 }),
  readinessProbe: probe('/readyz', wishes.httpPort, { periodSeconds: 5, failureThreshold: 3 }),
  livenessProbe: probe('/livez', wishes.httpPort, { periodSeconds: 10, failureThreshold: 3 }),
  resources: wishes.resources,
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    ...(settings.runAsUser === undefined
      ? {}
      : { runAsUser: settings.runAsUser, runAsGroup: settings.runAsUser }),
    seccompProfile: { type: 'RuntimeDefault' },
  },
  terminationMessagePolicy: 'FallbackToLogsOnError',
  volumeMounts: [
    { name: socketVolume, mountPath: socketFolder },
    { name: stateVolume, mountPath: stateFolder },
    { name: tokenVolume, mountPath: tokenFolder, readOnly: true },
    // The API server puts the pod's own token here unless something is: the sidecar has no use for its rights.
    { name: tokenVolume, mountPath: apiTokenFolder, readOnly: true },
  ],
});

const probe = (path: string, port: number, times: object): object => ({
  httpGet: { path, port },
  timeoutSeconds: 5,
  ...times,
});

/** Volumes of the sidecar; only the first is mounted by others too. */
export const sidecarVolumes = (secrets: ReadonlyMap<string, readonly string[]>): Volume[] => [
  { name: socketVolume, emptyDir: { sizeLimit: '1Mi' } },
  { name: stateVolume, emptyDir: { sizeLimit: '64Mi' } },
  {
    name: tokenVolume,
    projected: {
      sources: [{ serviceAccountToken: { audience, expirationSeconds: 3_600, path: 'token' } }],
    },
  },
  ...(secrets.size === 0 ? [] : [secretsVolumeOf(secrets)]),
];

/** Only the keys that are named, and the pod starts without them too. */
const secretsVolumeOf = (secrets: ReadonlyMap<string, readonly string[]>): Volume => ({
  name: secretsVolume,
  projected: {
    sources: [...secrets].map(([name, keys]) => ({
      secret: { name, optional: true, items: keys.map((key) => ({ key, path: `${name}/${key}` })) },
    })),
  },
});
