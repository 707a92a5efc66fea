import type { Wishes } from './annotations.ts';
import type { Container, PodSpec } from './pod.ts';
import { sidecarName, sidecarVolumes, socketVolume } from './sidecar-container.ts';

type Check = (spec: PodSpec, wishes: Wishes, isOurs: boolean) => string | undefined;

/** Why a pod cannot have a sidecar, and what to do, in one sentence; undefined when it can. `isOurs`: it has one of ours already. */
export function refusalOf(spec: PodSpec, wishes: Wishes, isOurs: boolean): string | undefined {
  for (const check of checks) {
    const refusal = check(spec, wishes, isOurs);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

const containersOf = ({ containers, initContainers = [] }: PodSpec): readonly Container[] => [
  ...initContainers,
  ...containers,
];

/** Those that are not the sidecar. */
const others = (spec: PodSpec): readonly Container[] =>
  containersOf(spec).filter(({ name }) => name !== sidecarName);

const checks: readonly Check[] = [
  ({ os, nodeSelector }) =>
    os?.name === 'windows' || nodeSelector?.['kubernetes.io/os'] === 'windows'
      ? 'the sidecar does not run on Windows: remove label holdfast.dev/inject'
      : undefined,

  ({ shareProcessNamespace, hostPID }) => {
    const field = shareProcessNamespace === true ? 'shareProcessNamespace' : 'hostPID';
    return shareProcessNamespace === true || hostPID === true
      ? `a pod with ${field} gets no sidecar: its containers could read the sidecar's secrets in /proc; remove ${field} or label holdfast.dev/inject`
      : undefined;
  },

  ({ hostNetwork }, { httpPortIsChosen }) =>
    hostNetwork === true && !httpPortIsChosen
      ? 'a pod with hostNetwork shares the ports of its node: choose one for the sidecar with annotation holdfast.dev/http-port'
      : undefined,

  (spec, _wishes, isOurs) =>
    (isOurs ? spec.containers : containersOf(spec)).some(({ name }) => name === sidecarName)
      ? `a container is called ${sidecarName}, which is the sidecar's name: call it something else`
      : undefined,

  ({ volumes = [] }, _wishes, isOurs) => {
    const ours = sidecarVolumes(new Map([['any', ['key']]])).map(({ name }) => name);
    const taken = isOurs ? undefined : volumes.find(({ name }) => ours.includes(name));
    return taken === undefined
      ? undefined
      : `a volume is called ${taken.name}, which is a name of the sidecar's volumes: call it something else`;
  },

  (spec, { httpPort }) => {
    const taken = others(spec).find(({ ports = [] }) =>
      ports.some(
        ({ containerPort, protocol = 'TCP' }) => containerPort === httpPort && protocol === 'TCP',
      ),
    );
    return taken === undefined
      ? undefined
      : `container ${taken.name} has port ${httpPort}, where the sidecar serves health and metrics: choose another with annotation holdfast.dev/http-port`;
  },

  (spec, { socketDir }) => {
    const taken = others(spec).find(({ volumeMounts = [] }) =>
      volumeMounts.some(
        ({ name, mountPath }) => name !== socketVolume && withoutSlash(mountPath) === socketDir,
      ),
    );
    return taken === undefined
      ? undefined
      : `container ${taken.name} mounts something at ${socketDir}, where the sidecar's socket goes: choose another folder with annotation holdfast.dev/socket-dir`;
  },
];

const withoutSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '');
