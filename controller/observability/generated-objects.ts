import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { apiVersion, policyKind } from '../../crds/resilience-policy.ts';
import { dashboards } from './dashboards.ts';
import { type ObservedPolicy, ruleGroups } from './rule-groups.ts';

/** Which object. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** An object that is made of a policy, and belongs to it. */
export interface GeneratedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly object[];
  };
  readonly [content: string]: unknown;
}

/** What there should be of a policy, and what there should not. */
export interface DesiredObjects {
  readonly present: readonly GeneratedObject[];
  readonly absent: readonly ObjectRef[];
}

/** The objects of a policy: alert rules, in a ConfigMap where nobody knows a PrometheusRule, and dashboards. An empty policy has none. */
export function desiredObjects(
  policy: ObservedPolicy,
  { hasPrometheusRules }: { readonly hasPrometheusRules: boolean },
): DesiredObjects {
  const isEmpty = saysNothing(policy);
  const groups = isEmpty ? [] : ruleGroups(policy);
  const pages = isEmpty ? [] : dashboards(policy);
  const refs = objectRefs(policy);
  const made: GeneratedObject[] = [];
  if (groups.length > 0 && hasPrometheusRules) {
    made.push({ ...owned(policy, refs.rule), spec: { groups } });
  } else if (groups.length > 0) {
    const data = { 'rules.yaml': stringify({ groups }) };
    made.push({ ...owned(policy, refs.rules, { 'holdfast.dev/rules': 'prometheus' }), data });
  }
  if (pages.length > 0) {
    const data = Object.fromEntries(
      pages.map(({ file, content }) => [file, JSON.stringify(content, undefined, 2)]),
    );
    made.push({ ...owned(policy, refs.dashboards, { grafana_dashboard: '1' }), data });
  }
  const kept = new Set(made.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const absent = Object.values(refs).filter(
    ({ kind, name }) =>
      !kept.has(`${kind} ${name}`) && (kind !== refs.rule.kind || hasPrometheusRules),
  );
  return { present: made, absent };
}

/** An empty spec, or one that only selects. */
const saysNothing = ({ spec }: ObservedPolicy): boolean =>
  [spec.postgres, spec.redis, spec.targets].every((list) => list.length === 0) &&
  [spec.locks, spec.tracing, spec.alerts].every((block) => block === undefined);

function objectRefs({ namespace, name }: ObservedPolicy) {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', namespace };
  return {
    rule: {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      namespace,
      name: nameFor(name, ''),
    },
    rules: { ...configMap, name: nameFor(name, '-rules') },
    dashboards: { ...configMap, name: nameFor(name, '-dashboards') },
  } satisfies Record<string, ObjectRef>;
}

const mostNameLetters = 253;

/** A policy's own name may be as long as a name can be. */
function nameFor(policy: string, suffix: string): string {
  const name = `holdfast-${policy}${suffix}`;
  if (name.length <= mostNameLetters) return name;
  const digest = createHash('sha256').update(policy).digest('hex').slice(0, 16);
  return `holdfast-${policy.slice(0, 200).replace(/[^a-z0-9]+$/, '')}-${digest}${suffix}`;
}

function owned(
  policy: ObservedPolicy,
  { apiVersion: version, kind, namespace, name }: ObjectRef,
  labels: Readonly<Record<string, string>> = {},
) {
  return {
    apiVersion: version,
    kind,
    metadata: {
      namespace,
      name,
      labels: { 'app.kubernetes.io/managed-by': 'holdfast', ...labels },
      ownerReferences: [
        { apiVersion, kind: policyKind, name: policy.name, uid: policy.uid, controller: true },
      ],
    },
  };
}
