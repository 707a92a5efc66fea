import { Registry } from 'prom-client';
import {
  podObject,
  policyObject,
  poolSpec,
  TestCluster,
} from '../../controller/reconcile/cluster.test-kit.ts';
import { EffectivePolicies } from '../../controller/reconcile/effective-policies.ts';
import { GeneratedObjects } from '../../controller/reconcile/generated.ts';
import { policyPodMetrics } from '../../controller/reconcile/policy-pod-metrics.ts';
import { reconciler, type Reconcile } from '../../controller/reconcile/reconcile.ts';
import { systemClock } from '../../platform/clock.ts';
import { median } from '../report.ts';

const sizes = [10, 100, 1_000];
const podsPerPolicy = 10;
const policiesPerNamespace = 10;
const repeats = 5;

export interface ReconcileRow {
  readonly policies: number;
  readonly namespaces: number;
  /** All policies after a start: read, checked, and their statuses and objects made. */
  readonly allMs: number;
  /** The same for one of them. */
  readonly eachMs: number;
  /** One policy changes, and all of its namespace are looked at again. */
  readonly changeMs: number;
}

/** Reconciliation of more and more policies, in memory. */
export async function benchReconcile(): Promise<ReconcileRow[]> {
  const rows: ReconcileRow[] = [];
  for (const oneNamespace of [false, true]) {
    for (const size of sizes) {
      const times: [number, number][] = [];
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        times.push(await measure(size, oneNamespace ? size : policiesPerNamespace));
      }
      const allMs = median(times.map(([all]) => all));
      const changeMs = median(times.map(([, change]) => change));
      const namespaces = oneNamespace ? 1 : size / policiesPerNamespace;
      rows.push({ policies: size, namespaces, allMs, eachMs: allMs / size, changeMs });
    }
  }
  return rows;
}

async function measure(size: number, perNamespace: number): Promise<[number, number]> {
  const cluster = new TestCluster();
  const put = (at: number, generation: number): void => {
    const namespace = namespaceOf(at, perNamespace);
    const spec = poolSpec('main', { pool: { max: 10 + generation } });
    const selector = { app: `app-${at}` };
    cluster.policies.put(policyObject(`p${at}`, spec, { namespace, generation, selector }));
  };
  for (let at = 0; at < size; at += 1) {
    put(at, 1);
    const namespace = namespaceOf(at, perNamespace);
    for (let pod = 0; pod < podsPerPolicy; pod += 1) {
      cluster.pods.put(podObject(`p${at}-${pod}`, { app: `app-${at}` }, { namespace }));
    }
  }
  const fromMs = performance.now();
  const { reconcile, policiesIn } = start(cluster);
  for (const { metadata } of cluster.policies.list()) {
    await reconcile(`${metadata.namespace}/${metadata.name}`);
  }
  const allMs = performance.now() - fromMs;

  const changedAtMs = performance.now();
  put(0, 2);
  for (const name of policiesIn(namespaceOf(0, perNamespace))) await reconcile(name);
  return [allMs, performance.now() - changedAtMs];
}

const namespaceOf = (at: number, perNamespace: number): string =>
  `team-${Math.floor(at / perNamespace)}`;

function start(cluster: TestCluster): {
  readonly reconcile: Reconcile;
  readonly policiesIn: (namespace: string) => string[];
} {
  const effective = new EffectivePolicies(cluster);
  const nothing = (): Promise<void> => Promise.resolve();
  const reconcile = reconciler({
    effective,
    policies: cluster.policies,
    sidecar: (podUid) => {
      const applied = effective.snapshotOf(podUid)?.version ?? '';
      return { applied, rejected: undefined, restartRequired: [] };
    },
    writeStatus: ({ name }, { pods }) => {
      if (pods?.programmed === podsPerPolicy) return nothing();
      throw new Error(`policy ${name} is not in force on its pods`);
    },
    tell: () => undefined,
    generated: new GeneratedObjects(
      { apply: nothing, remove: nothing, hasPrometheusRules: () => true },
      systemClock,
    ),
    metrics: policyPodMetrics(new Registry()),
    clock: systemClock,
  });
  const policiesIn = (namespace: string): string[] =>
    [...effective.policies(namespace).entries].map(({ name }) => `${namespace}/${name}`);
  return { reconcile, policiesIn };
}
