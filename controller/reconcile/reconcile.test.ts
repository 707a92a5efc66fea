import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { PolicyStatus } from '../../crds/policy-status.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { workQueue } from '../kube/work-queue.ts';
import { guardSpec, podObject, policyObject, TestCluster } from './cluster.test-kit.ts';
import { EffectivePolicies } from './effective-policies.ts';
import { GeneratedObjects } from './generated.ts';
import type { SidecarFacts } from './pod-progress.ts';
import { policyPodMetrics } from './policy-pod-metrics.ts';
import { startReconcile } from './start-reconcile.ts';

/** A controller that leads a cluster of which a test says what there is; what it writes takes effect at once. */
function startTest({ lagging = false } = {}) {
  const cluster = new TestCluster();
  const clock = new TestClock();
  const effective = new EffectivePolicies(cluster);
  const sidecars = new Map<string, SidecarFacts>();
  let changed: (podUid: string) => void = () => {};
  const statuses: { name: string; status: PolicyStatus }[] = [];
  const events: string[] = [];
  const objects: string[] = [];
  const faults: unknown[] = [];
  const broken = { status: false, objects: false, prometheus: false };
  const registry = new Registry();
  const run = startReconcile({
    effective,
    policies: cluster.policies,
    sidecar: (podUid) => sidecars.get(podUid),
    onSidecarChange: (listener) => {
      changed = listener;
      return () => {
        changed = () => {};
      };
    },
    writeStatus: async ({ namespace, name }, status) => {
      if (broken.status) throw new Error('refused');
      statuses.push({ name, status });
      const stored = cluster.policies.get(`${namespace}/${name}`);
      if (stored !== undefined && !lagging) cluster.policies.put({ ...stored, status });
    },
    tell: ({ name }, { type, reason }) => events.push(`${type} ${name} ${reason}`),
    generated: new GeneratedObjects(
      {
        apply: async ({ kind, metadata }) => {
          if (broken.objects) throw new Error('exceeded quota');
          objects.push(`+ ${kind} ${metadata.name}`);
        },

        remove: async ({ kind, name }) => void objects.push(`- ${kind} ${name}`),
        hasPrometheusRules: () => broken.prometheus,
      },
      clock,
    ),
    metrics: policyPodMetrics(registry),
    clock,
    openQueue: (work) =>
      workQueue({
        work,
        concurrency: 2,
        clock,
        random: () => 0.5,
        onFault: (_key, fault) => faults.push(fault),
      }),
  });
  return {
    cluster,
    clock,
    statuses,
    events,
    objects,
    faults,
    broken,
    registry,
    effective,
    run,
    /** What a sidecar says; undefined = it is gone. */
    says: (pod: string, facts: Partial<SidecarFacts> | undefined): void => {
      const uid = `uid-${pod}`;
      if (facts === undefined) sidecars.delete(uid);
      else sidecars.set(uid, { applied: '', rejected: undefined, restartRequired: [], ...facts });
      changed(uid);
    },
    versionOf: (pod: string): string => effective.snapshotOf(`uid-${pod}`)?.version ?? '',
    /** `Programmed=True/Programmed` of the last status. */
    last: (name: string, type: string): string | undefined => {
      const { status } = statuses.findLast((each) => each.name === name) ?? {};
      const found = status?.conditions?.find((condition) => condition.type === type);
      return found && `${found.status}/${found.reason}`;
    },
    counts: (name: string) => statuses.findLast((each) => each.name === name)?.status.pods,
  };
}

test('a status follows a policy from pod to pod', async () => {
  const bed = startTest();
  bed.cluster.pods.put(podObject('orders-1'));
  bed.cluster.pods.put(podObject('orders-2'));
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  await bed.clock.advance(250);
  expect(bed.last('a', 'Accepted')).toBe('True/Accepted');
  expect(bed.last('a', 'Programmed')).toBe('Unknown/NotConnected');

  bed.says('orders-1', { applied: bed.versionOf('orders-1') });
  bed.says('orders-2', {});
  await bed.clock.advance(250);
  expect(bed.last('a', 'Programmed')).toBe('False/Pending');
  bed.says('orders-2', { applied: bed.versionOf('orders-2') });
  await bed.clock.advance(250);
  expect(bed.last('a', 'Programmed')).toBe('True/Programmed');
  expect(bed.counts('a')).toMatchObject({ selected: 2, connected: 2, programmed: 2 });

  const refused = { policy: 'a', field: 'spec.targets[0].rate', message: 'is too much' };
  const applied = bed.versionOf('orders-1');
  bed.cluster.policies.put(policyObject('a', guardSpec('y'), { generation: 2 }));
  const version = bed.versionOf('orders-1');
  bed.says('orders-1', { applied, rejected: { version, faults: [refused] } });
  bed.says('orders-2', { applied: version });
  await bed.clock.advance(250);
  expect(bed.last('a', 'Degraded')).toBe('True/Refused');
  expect(bed.counts('a')).toMatchObject({ programmed: 1, rejecting: 1 });
  expect(bed.statuses.at(-1)?.status).toMatchObject({
    observedGeneration: 2,
    rejections: [{ pod: 'orders-1', message: 'spec.targets[0].rate: is too much' }],
  });
  expect(bed.events).toEqual(['Normal a Programmed', 'Warning a Refused']);
  await bed.run.stop();
  expect(bed.clock.alarms).toBe(0);
});

test('a namespace that takes no more ConfigMaps has statuses all the same, and the objects when it can', async () => {
  const bed = startTest();
  bed.broken.objects = true;
  bed.cluster.pods.put(podObject('orders-1'));
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  await bed.clock.advance(250);
  expect(bed.last('a', 'Accepted')).toBe('True/Accepted');
  expect(bed.faults).not.toEqual([]);
  bed.broken.objects = false;
  await bed.clock.advance(60_000);
  expect(bed.objects).not.toEqual([]);
  await bed.run.stop();
});

test('a restart is needed for the policy that says so, or for all where none is named', async () => {
  const bed = startTest();
  bed.cluster.pods.put(podObject('orders-1'));
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  bed.cluster.policies.put(policyObject('b', guardSpec('y')));
  const applied = bed.versionOf('orders-1');
  const line = 'policy "a": spec.new is not known';
  bed.says('orders-1', { applied, restartRequired: [line] });
  await bed.clock.advance(250);
  expect(bed.last('a', 'Degraded')).toBe('True/RestartRequired');
  expect(bed.last('b', 'Degraded')).toBe('False/AsExpected');
  bed.says('orders-1', { applied, restartRequired: [line, 'locks'] });
  await bed.clock.advance(250);
  expect(bed.last('b', 'Degraded')).toBe('True/RestartRequired');
  await bed.run.stop();
});

test('a pod that refuses another policy keeps this one, and one that came with it is named', async () => {
  const bed = startTest();
  bed.cluster.pods.put(podObject('orders-1'));
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  bed.cluster.policies.put(policyObject('b', guardSpec('y')));
  bed.cluster.policies.put(policyObject('c', guardSpec('z')));
  const applied = bed.versionOf('orders-1');
  bed.cluster.policies.put(policyObject('b', guardSpec('w'), { generation: 2 }));
  bed.cluster.policies.put(policyObject('c', guardSpec('v'), { generation: 2 }));
  const rejected = {
    version: bed.versionOf('orders-1'),
    faults: [{ policy: 'b', field: '', message: 'no' }],
  };
  bed.says('orders-1', { applied, rejected });
  await bed.clock.advance(250);
  expect(bed.last('a', 'Programmed')).toBe('True/Programmed');
  expect(bed.last('b', 'Degraded')).toBe('True/Refused');
  const ofC = bed.statuses.findLast(({ name }) => name === 'c')?.status.rejections;
  expect(ofC).toEqual([
    {
      pod: 'orders-1',
      reason: 'RefusedWithAnother',
      message: 'refused together with the policy "b": no',
    },
  ]);
  await bed.run.stop();
});

test('five thousand acknowledgements are few writes', async () => {
  const bed = startTest();
  for (let at = 0; at < 5_000; at += 1) bed.cluster.pods.put(podObject(`orders-${at}`));
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  const applied = bed.versionOf('orders-1');
  for (let at = 0; at < 5_000; at += 1) {
    bed.says(`orders-${at}`, { applied });
    if (at % 1_000 === 999) await bed.clock.advance(100);
  }
  await bed.clock.advance(500);
  expect(bed.counts('a')?.programmed).toBe(5_000);
  expect(bed.statuses.length).toBeLessThanOrEqual(4);
  await bed.run.stop();
});

test('nothing is written when nothing is new, however often it looks, and however late the watch is', async () => {
  for (const lagging of [false, true]) {
    const bed = startTest({ lagging });
    bed.cluster.pods.put(podObject('orders-1'));
    bed.cluster.policies.put(policyObject('a', guardSpec('x')));
    bed.says('orders-1', { applied: bed.versionOf('orders-1') });
    await bed.clock.advance(250);
    for (let at = 0; at < 5; at += 1) {
      bed.says('orders-1', { applied: bed.versionOf('orders-1') });
      await bed.clock.advance(250);
    }
    expect(bed.statuses).toHaveLength(1);
    expect(bed.events).toHaveLength(1);
    await bed.run.stop();
  }
});

test('a status that somebody else wrote over is put right', async () => {
  const bed = startTest();
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  await bed.clock.advance(10_000);
  bed.cluster.policies.put(policyObject('a', guardSpec('x'), { status: {} }));
  await bed.clock.advance(250);
  expect(bed.statuses).toHaveLength(2);
  await bed.run.stop();
});

test('a write that fails is tried again', async () => {
  const bed = startTest();
  bed.broken.status = true;
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  await bed.clock.advance(300);
  expect(bed.faults.length).toBeGreaterThan(0);
  bed.broken.status = false;
  await bed.clock.advance(2_000);
  expect(bed.last('a', 'Accepted')).toBe('True/Accepted');
  await bed.run.stop();
});

test('the younger of two in conflict hears of it, and of its end', async () => {
  const bed = startTest();
  bed.cluster.policies.put(policyObject('young', guardSpec('x'), { bornAt: 2 }));
  bed.cluster.policies.put(policyObject('old', guardSpec('x'), { bornAt: 1 }));
  await bed.clock.advance(250);
  expect(bed.last('young', 'Conflicted')).toBe('True/NamedTwice');
  expect(bed.last('young', 'Accepted')).toBe('False/Conflicted');
  expect(bed.last('old', 'Conflicted')).toBe('False/NoConflict');
  bed.cluster.policies.remove('shop/old');
  await bed.clock.advance(250);
  expect(bed.last('young', 'Accepted')).toBe('True/Accepted');
  await bed.run.stop();
});

test('generated objects come with a policy, change with it, are looked after, and go when it turns empty', async () => {
  const bed = startTest();
  const written = (): string[] => bed.objects.splice(0);
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  await bed.clock.advance(250);
  expect(written()).toEqual(['+ ConfigMap holdfast-a-rules', '+ ConfigMap holdfast-a-dashboards']);
  bed.says('orders-1', {});
  await bed.clock.advance(60_000);
  expect(written()).toEqual([]);
  await bed.clock.advance(600_000);
  expect(written()).toHaveLength(2);
  bed.broken.prometheus = true;
  await bed.clock.advance(600_000);
  expect(written()).toEqual([
    '+ PrometheusRule holdfast-a',
    '+ ConfigMap holdfast-a-dashboards',
    '- ConfigMap holdfast-a-rules',
  ]);
  bed.cluster.policies.put(policyObject('a', {}, { generation: 2 }));
  await bed.clock.advance(250);
  expect(written()).toEqual([
    '- PrometheusRule holdfast-a',
    '- ConfigMap holdfast-a-rules',
    '- ConfigMap holdfast-a-dashboards',
  ]);
  await bed.run.stop();
});

test('metrics say how far pods are, and forget a policy that is gone', async () => {
  const bed = startTest();
  bed.cluster.pods.put(podObject('orders-1'));
  bed.cluster.policies.put(policyObject('a', guardSpec('x')));
  bed.says('orders-1', { applied: bed.versionOf('orders-1') });
  await bed.clock.advance(250);
  const line = 'holdfast_controller_policy_pods{namespace="shop",policy="a",state="programmed"} 1';
  expect(await bed.registry.metrics()).toContain(line);
  bed.cluster.policies.remove('shop/a');
  await bed.clock.advance(250);
  expect(await bed.registry.metrics()).not.toContain('policy="a"');
  await bed.run.stop();
});
