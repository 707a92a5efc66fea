import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { policySpecSchema } from '../../crds/resilience-policy.ts';
import { desiredObjects } from './generated-objects.ts';

const guarded = { targets: [{ kind: 'Guard', name: 'api' }] };
const policy = (spec: object = guarded, name = 'orders') => ({
  namespace: 'shop',
  name,
  uid: 'uid-orders',
  spec: policySpecSchema.parse(spec),
});
/** `kind name` of what there should be, and of what there should not. */
const desired = (spec: object, hasPrometheusRules: boolean) => {
  const { present, absent } = desiredObjects(policy(spec), { hasPrometheusRules });
  return {
    present: present.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    absent: absent.map(({ kind, name }) => `${kind} ${name}`),
  };
};
const rules = 'ConfigMap holdfast-orders-rules';
const rule = 'PrometheusRule holdfast-orders';
const dashboards = 'ConfigMap holdfast-orders-dashboards';

test('rules are a PrometheusRule where there is such a thing, else a ConfigMap', () => {
  expect(desired(guarded, true)).toEqual({ present: [rule, dashboards], absent: [rules] });
  expect(desired(guarded, false)).toEqual({ present: [rules, dashboards], absent: [] });
});

test('both have the same groups', () => {
  const [asRule] = desiredObjects(policy(), { hasPrometheusRules: true }).present;
  const [asMap] = desiredObjects(policy(), { hasPrometheusRules: false }).present;
  const { groups } = (asRule?.['spec'] ?? {}) as { groups: object[] };
  expect(groups).toHaveLength(1);
  const data = asMap?.['data'] as Record<string, string>;
  expect(parse(data['rules.yaml'] ?? '')).toEqual({ groups });
});

test('an empty policy has none, and one without alerts no rules', () => {
  const none = { present: [], absent: [rule, rules, dashboards] };
  expect(desired({}, true)).toEqual(none);
  expect(desired({ mode: 'Shadow', selector: { matchLabels: { app: 'a' } } }, true)).toEqual(none);
  expect(desired({ ...guarded, alerts: { enabled: false } }, false)).toEqual({
    present: [dashboards],
    absent: [rules],
  });
});

test('Grafana finds the dashboards, and the cluster removes all of it with the policy', () => {
  for (const { metadata } of desiredObjects(policy(), { hasPrometheusRules: true }).present) {
    expect(metadata.namespace).toBe('shop');
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'resilience.holdfast.dev/v1alpha1',
        kind: 'ResiliencePolicy',
        name: 'orders',
        uid: 'uid-orders',
        controller: true,
      },
    ]);
  }
  const [, made] = desiredObjects(policy(), { hasPrometheusRules: true }).present;
  expect(made?.metadata.labels).toHaveProperty('grafana_dashboard', '1');
  const pages = Object.values(made?.['data'] as Record<string, string>);
  expect(pages.map((page) => (JSON.parse(page) as { title: string }).title)).toEqual([
    'Holdfast / shop / orders',
  ]);
});

test('the alert waits as long as the policy says', () => {
  const spec = { ...guarded, alerts: { notProgrammedMs: 90_500 } };
  const [made] = desiredObjects(policy(spec), { hasPrometheusRules: true }).present;
  expect(made?.['spec']).toMatchObject({
    groups: [{ name: 'holdfast/shop/orders', rules: [{ for: '91s' }] }],
  });
});

test('names of policies that are too long to be put into another are cut, and stay different', () => {
  const long = 'a'.repeat(252);
  const names = ['b', 'c'].flatMap((end) =>
    desiredObjects(policy(guarded, long + end), { hasPrometheusRules: true }).present.map(
      ({ metadata }) => metadata.name,
    ),
  );
  expect(new Set(names).size).toBe(4);
  expect(Math.max(...names.map(({ length }) => length))).toBeLessThanOrEqual(253);
});
