import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';
import { readPolicyFile } from '../../crds/policy-file.ts';
import type { ResiliencePolicy } from '../../crds/resilience-policy.ts';
import type { PatchOperation } from '../certificates/webhook-bundles.ts';
import { injectPod, type InjectionRequest, type InjectionSettings } from './inject.ts';
import type { Pod } from './pod.ts';

const folder = new URL('golden/', import.meta.url);

/** Settings of tests, as the chart gives them. */
export const injectionSettings: InjectionSettings = {
  defaults: {
    image: 'holdfast/sidecar:0.1.0',
    resources: {
      requests: { cpu: '100m', memory: '128Mi' },
      limits: { cpu: '1', memory: '256Mi' },
    },
    logLevel: 'info',
  },
  imagePullPolicy: 'IfNotPresent',
  controllerAddress: 'holdfast-controller.holdfast-system.svc:8443',
  controllerName: 'holdfast-controller.holdfast-system.svc',
  runAsUser: 65532,
  reservedNamespaces: ['kube-system', 'kube-node-lease', 'holdfast-system'],
};

export const goldenNames = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.in.yaml'))
    .map((file) => file.replace('.in.yaml', ''))
    .toSorted();

export const goldenPath = (name: string, end: 'in' | 'out'): URL =>
  new URL(`${name}.${end}.yaml`, folder);

/** The first document is the pod, those behind it are policies of its namespace. */
export function goldenRequest(name: string): InjectionRequest {
  const [first, ...rest] = parseAllDocuments(readFileSync(goldenPath(name, 'in'), 'utf8'));
  const pod = first?.toJS() as Pod;
  const policies: readonly ResiliencePolicy[] = rest.flatMap((document) =>
    readPolicyFile(String(document), `${name}.in.yaml`),
  );
  const namespace = pod.metadata?.['namespace'];
  return {
    pod,
    namespace: typeof namespace === 'string' ? namespace : 'default',
    policies,
    settings: injectionSettings,
    authorities: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  };
}

/** What stands in the out file. */
export function goldenAnswer(request: InjectionRequest): string {
  const answer = injectPod(request);
  if (answer.kind === 'ignored') return stringify({ ignored: answer.reason }, { lineWidth: 0 });
  if (answer.kind === 'refused') return stringify({ refused: answer.message }, { lineWidth: 0 });
  const patched = applyPatch(request.pod, answer.patch);
  const said =
    answer.warnings.length === 0 ? '' : stringify({ warnings: answer.warnings }, { lineWidth: 0 });
  const body =
    answer.patch.length === 0
      ? stringify({ unchanged: true })
      : stringify(patched, { lineWidth: 0 });
  return said === '' ? body : `${body}---\n${said}`;
}

/** Applies `add` and `replace` of fields. */
export function applyPatch(pod: Pod, patch: readonly PatchOperation[]): Pod {
  const copy = structuredClone(pod) as Record<string, unknown>;
  for (const { op, path, value } of patch) {
    const steps = path.slice(1).split('/');
    const last = steps.pop() ?? '';
    let at = copy;
    for (const step of steps) at = at[step] as Record<string, unknown>;
    if ((op === 'replace') !== last in at) throw new Error(`${op} ${path} does not fit`);
    at[last] = structuredClone(value);
  }
  return copy as unknown as Pod;
}
