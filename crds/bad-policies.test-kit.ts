import { bad, type BadPolicy, manifest } from './bad-policy.test-kit.ts';
import { badPools } from './bad-pools.test-kit.ts';
import { badTargets } from './bad-targets.test-kit.ts';

const changed = (title: string, field: string, change: object): BadPolicy => ({
  title,
  field,
  manifest: { ...manifest({}), ...change },
});

/** Bad around the lists, and around `spec`. */
const badManifests: readonly BadPolicy[] = [
  changed('no spec', 'spec', { spec: undefined }),
  changed('a list for spec', 'spec', { spec: [] }),
  changed('a misspelt part', 'stauts', { stauts: {} }),
  changed('no name', 'metadata.name', { metadata: {} }),
  changed('a name in capitals', 'metadata.name', { metadata: { name: 'Orders' } }),
  changed('a misspelt part of the metadata', 'metadata.lables', {
    metadata: { name: 'orders', lables: {} },
  }),
  changed('another kind', 'kind', { kind: 'ConfigMap' }),
  changed('another version', 'apiVersion', { apiVersion: 'resilience.holdfast.dev/v1' }),

  bad('a misspelt block', 'spec.postgress', { postgress: [] }),
  bad('a mode that there is not', 'spec.mode', { mode: 'DryRun' }),
  bad('a list of labels', 'spec.selector.matchLabels', { selector: { matchLabels: ['app'] } }),
  bad('a label that is none', 'spec.selector.matchLabels.app', {
    selector: { matchLabels: { app: '-' } },
  }),
  bad('a label that is a number', 'spec.selector.matchLabels.app', {
    selector: { matchLabels: { app: 7 } },
  }),
  bad('too many labels', 'spec.selector.matchLabels', {
    selector: {
      matchLabels: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`l${at}`, 'x'])),
    },
  }),
  bad('expressions, which there are not', 'spec.selector.matchExpressions', {
    selector: { matchExpressions: [] },
  }),

  bad('locks of nobody', 'spec.locks.authority', { locks: {} }),
  bad('locks of somebody else', 'spec.locks.authority', { locks: { authority: 'Etcd' } }),
  bad('locks that end before they begin', 'spec.locks.maxHoldMs', {
    locks: { authority: 'Redis', ttlMs: 2_000, maxHoldMs: 1_000 },
  }),
  bad('locks for two hours unasked', 'spec.locks.ttlMs', {
    locks: { authority: 'Redis', ttlMs: 7_200_000, maxHoldMs: 7_200_000 },
  }),
  bad('samples in percent', 'spec.tracing.sampleRatio', { tracing: { sampleRatio: 10 } }),
  bad('spans for a minute', 'spec.tracing.storeIn.retentionMs', {
    tracing: { storeIn: { retentionMs: 60_000 } },
  }),
  bad('a share in percent', 'spec.alerts.successRate', { alerts: { successRate: 99.9 } }),
  bad('an alert that there is not', 'spec.alerts.errors', { alerts: { errors: 1 } }),
];

/** Policies with one thing wrong each: the parser refuses all of them, and so does a real API server where it can. */
export const badPolicies: readonly BadPolicy[] = [...badManifests, ...badPools, ...badTargets];
