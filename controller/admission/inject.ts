import { isDeepStrictEqual } from 'node:util';
import type { PolicySpec, ResiliencePolicy } from '../../crds/resilience-policy.ts';
import type { PatchOperation } from '../certificates/webhook-bundles.ts';
import {
  type Defaults,
  injectedAnnotation,
  readWishes,
  secretsAnnotation,
  type Wishes,
} from './annotations.ts';
import type { Container, Pod, PodSpec, Volume, VolumeMount } from './pod.ts';
import { refusalOf } from './refusals.ts';
import { secretKeys } from './secret-uses.ts';
import {
  secretsMount,
  secretsVolume,
  type SidecarSettings,
  sidecarContainer,
  sidecarName,
  sidecarVolumes,
  socketAddress,
  socketVolume,
} from './sidecar-container.ts';

export interface InjectionSettings extends SidecarSettings {
  readonly defaults: Defaults;
  /** Namespaces whose pods are never touched. */
  readonly reservedNamespaces: readonly string[];
}

export interface InjectionRequest {
  readonly pod: Pod;
  readonly namespace: string;
  /** Of the pod's namespace. */
  readonly policies: readonly ResiliencePolicy[];
  readonly settings: InjectionSettings;
  /** PEM of the controller's authorities; undefined = public ones. */
  readonly authorities: string | undefined;
}

export type Injection =
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'injected';
      readonly pod: Pod;
      /** Empty when nothing was missing. */
      readonly patch: readonly PatchOperation[];
      readonly warnings: readonly string[];
    };

/** Changes the format of injection; a pod tells by it that its sidecar is ours. */
const format = 'v1';

/**
 * Puts the sidecar into a pod that asks for it, or says why not. Pure. A pod that has its sidecar only gets what is missing elsewhere: others may have changed
 * the sidecar since, or added containers.
 */
export function injectPod({
  pod,
  namespace,
  policies,
  settings,
  authorities,
}: InjectionRequest): Injection {
  const { labels = {}, annotations = {} } = pod.metadata ?? {};
  const reason = whyIgnored(labels, annotations, namespace, settings);
  if (reason !== undefined) return { kind: 'ignored', reason };

  const { wishes, faults, warnings } = readWishes(annotations, settings.defaults);
  const isOurs = annotations[injectedAnnotation] !== undefined && hasSidecar(pod.spec);
  const refusal = faults.length > 0 ? faults.join('; ') : refusalOf(pod.spec, wishes, isOurs);
  if (refusal !== undefined) return { kind: 'refused', message: refusal };

  const selecting = policies.filter(({ spec }) => selects(spec, labels));
  const secrets = secretKeys(selecting.map(({ spec }) => spec));
  const spec = isOurs ? pod.spec : withSidecar(pod.spec, wishes, settings, authorities);
  const whole: Pod = {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: {
        ...annotations,
        ...scrapeAnnotations(annotations, wishes),
        [injectedAnnotation]: format,
        [secretsAnnotation]: [...secrets]
          .flatMap(([name, keys]) => keys.map((key) => `${name}/${key}`))
          .join(),
      },
    },
    spec: completed(spec, wishes, secrets),
  };
  return {
    kind: 'injected',
    pod: whole,
    patch: patchOf(pod, whole),
    warnings: [
      ...warnings,
      ...warningsOf(pod, wishes),
      ...(selecting.length > 0
        ? []
        : ['no ResiliencePolicy of the namespace selects this pod yet: its sidecar has no pools']),
    ],
  };
}

function whyIgnored(
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  namespace: string,
  { reservedNamespaces }: InjectionSettings,
): string | undefined {
  if (reservedNamespaces.includes(namespace)) return `namespace ${namespace} is left alone`;
  if (labels['holdfast.dev/inject'] !== 'true') return 'label holdfast.dev/inject is not "true"';
  if (annotations['holdfast.dev/inject'] === 'false') {
    return 'annotation holdfast.dev/inject is "false"';
  }
  // kubelet made it from a file, and changes nothing that we change.
  if (annotations['kubernetes.io/config.mirror'] !== undefined) return 'it mirrors a static pod';
  return undefined;
}

const hasSidecar = ({ initContainers = [] }: PodSpec): boolean =>
  initContainers.some(({ name }) => name === sidecarName);

/** Whether a policy is for pods with these labels. */
const selects = ({ selector }: PolicySpec, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);

/** The sidecar goes first, so that the application's own init containers can use it. */
function withSidecar(
  spec: PodSpec,
  wishes: Wishes,
  settings: InjectionSettings,
  authorities: string | undefined,
): PodSpec {
  const sidecar = sidecarContainer({
    settings,
    wishes,
    authorities,
    terminationGraceSeconds: spec.terminationGracePeriodSeconds,
  });
  return { ...spec, initContainers: [sidecar, ...(spec.initContainers ?? [])] };
}

/** Everything around the sidecar: volumes, and the socket in all containers. */
function completed(
  spec: PodSpec,
  wishes: Wishes,
  secrets: ReadonlyMap<string, readonly string[]>,
): PodSpec {
  const visit = (container: Container): Container => {
    if (container.name !== sidecarName) return withSocket(container, wishes.socketDir);
    return secrets.size === 0 ? container : withMount(container, secretsMount);
  };
  return {
    ...spec,
    containers: spec.containers.map(visit),
    initContainers: (spec.initContainers ?? []).map(visit),
    volumes: sidecarVolumes(secrets).reduce(withVolume, spec.volumes ?? []),
  };
}

/** Read-only is enough to connect, and nobody can put another socket in its place. */
function withSocket(container: Container, folder: string): Container {
  const mounted = withMount(container, {
    name: socketVolume,
    mountPath: folder,
    readOnly: true,
  });
  const { env = [] } = mounted;
  if (env.some(({ name }) => name === 'HOLDFAST_ADDRESS')) return mounted;
  return {
    ...mounted,
    env: [...env, { name: 'HOLDFAST_ADDRESS', value: socketAddress(folder) }],
  };
}

function withMount(container: Container, mount: VolumeMount): Container {
  const { volumeMounts = [] } = container;
  if (volumeMounts.some(({ name }) => name === mount.name)) return container;
  return { ...container, volumeMounts: [...volumeMounts, mount] };
}

/** One that is there stays, as the API server completed it; but policies may name more secrets than before. */
function withVolume(volumes: readonly Volume[], volume: Volume): readonly Volume[] {
  const present = volumes.find(({ name }) => name === volume.name);
  if (present === undefined) return [...volumes, volume];
  if (volume.name !== secretsVolume || isDeepStrictEqual(sources(present), sources(volume))) {
    return volumes;
  }
  return volumes.map((each) => (each === present ? volume : each));
}

const sources = ({ projected }: Volume): unknown =>
  (projected as { sources?: unknown } | undefined)?.sources;

/** For a Prometheus that goes by annotations; one that the pod has already is not overwritten. */
function scrapeAnnotations(
  annotations: Readonly<Record<string, string>>,
  { scrape, httpPort }: Wishes,
): Readonly<Record<string, string>> {
  if (!scrape || annotations['prometheus.io/scrape'] !== undefined) return {};
  return {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(httpPort),
    'prometheus.io/path': '/metrics',
  };
}

function warningsOf({ metadata = {}, spec }: Pod, { scrape, httpPort }: Wishes): string[] {
  const port = metadata.annotations?.['prometheus.io/port'];
  return [
    ...(spec.hostNetwork === true && spec.dnsPolicy !== 'ClusterFirstWithHostNet'
      ? ['a pod of hostNetwork finds the controller only with dnsPolicy ClusterFirstWithHostNet']
      : []),
    ...(scrape &&
    metadata.annotations?.['prometheus.io/scrape'] !== undefined &&
    port !== String(httpPort)
      ? [
          'annotation holdfast.dev/scrape: the pod has prometheus.io/scrape already, so the sidecar is not scraped',
        ]
      : []),
  ];
}

/** Whole lists are replaced: others patch before and after us, never at the same time. */
function patchOf(before: Pod, after: Pod): PatchOperation[] {
  const parts = [
    ['/metadata/annotations', before.metadata?.annotations, after.metadata?.annotations],
    ['/spec/initContainers', before.spec.initContainers, after.spec.initContainers],
    ['/spec/containers', before.spec.containers, after.spec.containers],
    ['/spec/volumes', before.spec.volumes, after.spec.volumes],
  ] as const;
  return parts.flatMap(([path, from, to]): PatchOperation[] =>
    isDeepStrictEqual(from, to)
      ? []
      : [{ op: from === undefined ? 'add' : 'replace', path, value: to }],
  );
}
