/** The controller's discovery server and what says which policies are in force where; the cluster around is played, and so are tokens and grants. */
import { Registry } from 'prom-client';
import { systemClock } from '../../platform/clock.ts';
import { makeLogger } from '../../platform/logger.ts';
import { discoveryMetrics } from '../../controller/discovery/discovery-metrics.ts';
import { DiscoveryServer } from '../../controller/discovery/discovery-server.ts';
import { Fleet } from '../../controller/discovery/fleet.ts';
import {
  podObject,
  policyObject,
  TestCluster,
} from '../../controller/reconcile/cluster.test-kit.ts';
import { EffectivePolicies } from '../../controller/reconcile/effective-policies.ts';
import type { PushTimes, ServerAnswers, ServerOrder } from '../control/messages.ts';

const mostPods = 5_000;
const policies = ['pools', 'upstreams', 'guards'];

const fleet = new Fleet();
let server: DiscoveryServer | undefined;
let heartbeats = 0;

/** Selects all pods; some 2 KB. */
const policy = (name: string, generation: number) => {
  const targets = Array.from({ length: 12 }, (_, at) => ({
    kind: 'Guard',
    name: `${name}-${at}`,
    timeout: { perTryMs: 1_000 + generation, totalMs: 5_000 + generation },
  }));
  return policyObject(name, { targets }, { generation });
};

const cluster = new TestCluster();
for (const name of policies) cluster.policies.put(policy(name, 1));
for (let at = 0; at < mostPods; at += 1) {
  cluster.pods.put(podObject(`pod-${at}`, { app: `app-${at % 50}` }));
}
const effective = new EffectivePolicies(cluster);
effective.onChange((change) => {
  if (change.kind === 'policies') server?.policiesChanged(change.namespace);
  else server?.podChanged(change.podUid);
});

async function start({ certificate, key }: { certificate: string; key: string }) {
  server = new DiscoveryServer({
    clock: systemClock,
    random: Math.random,
    log: makeLogger('warn', 'bench'),
    metrics: discoveryMetrics(new Registry(), () => fleet.size),
    fleet,
    certificates: {
      current: { certificate, key, authorities: undefined },
      onChange: () => () => undefined,
    },
    review: (podName) =>
      Promise.resolve({ pod: { namespace: 'shop', podName, podUid: `uid-${podName}` } }),
    snapshotOf: (podUid) => effective.snapshotOf(podUid),
    onHeartbeat: ({ boot }, { budget, number }) => {
      heartbeats += 1;
      return { budget, boot, epoch: 1, answers: number, floor: 1, share: 4, leaseMs: 10_000 };
    },
    leader: () => ({ isSelf: true, address: '' }),
  });
  return { port: await server.listen('127.0.0.1', 0) };
}

/** From the instant when the watch hears of the change. */
function push(generation: number, sidecars: number): Promise<PushTimes> {
  return new Promise((resolve) => {
    const tookMs: number[] = [];
    const fromMs = performance.now();
    cluster.policies.put(policy('guards', generation));
    const version = effective.snapshotOf('uid-pod-0')?.version;
    const stop = fleet.onChange(({ kind, sidecar }) => {
      if (kind !== 'reported' || sidecar.applied !== version) return;
      tookMs.push(performance.now() - fromMs);
      if (tookMs.length < sidecars) return;
      stop();
      const at = (share: number): number => tookMs[Math.ceil(sidecars * share) - 1] ?? 0;
      resolve({ lastMs: at(1), p50Ms: at(0.5), p99Ms: at(0.99) });
    });
  });
}

function measure() {
  const { user, system } = process.cpuUsage();
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  return { connected: fleet.size, rssMb, cpuUs: user + system, heartbeats };
}

function perform(order: ServerOrder): Promise<ServerAnswers[ServerOrder['do']]> {
  switch (order.do) {
    case 'start':
      return start(order.tls);
    case 'push':
      return push(order.generation, order.sidecars);
    case 'measure':
      return Promise.resolve(measure());
  }
}

process.on('message', (order: ServerOrder) => {
  void perform(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
