/** The controller's discovery server, with what stands around it played: pods by their tokens, one set of policies for all, a grant for each heartbeat. */
import { Registry } from 'prom-client';
import { systemClock } from '../../platform/clock.ts';
import type { PolicySnapshot } from '../../platform/gen/holdfast/control/v1/PolicySnapshot.ts';
import { makeLogger } from '../../platform/logger.ts';
import { discoveryMetrics } from '../../controller/discovery/discovery-metrics.ts';
import { DiscoveryServer } from '../../controller/discovery/discovery-server.ts';
import { Fleet } from '../../controller/discovery/fleet.ts';
import type { PushTimes, ServerAnswers, ServerOrder } from '../control/messages.ts';

const policies = 3;
const manifestBytes = 2_000;

const fleet = new Fleet();
let snapshot = snapshotOf('v0');
let server: DiscoveryServer | undefined;
let heartbeats = 0;

function snapshotOf(version: string): PolicySnapshot {
  return {
    version,
    policies: Array.from({ length: policies }, (_, at) => ({
      namespace: 'shop',
      name: `policy-${at}`,
      uid: `uid-${at}`,
      generation: 1,
      manifest: JSON.stringify({ version, spec: 'x'.repeat(manifestBytes) }),
    })),
  };
}

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
    snapshotOf: () => snapshot,
    onHeartbeat: ({ boot }, { budget, number }) => {
      heartbeats += 1;
      return { budget, boot, epoch: 1, answers: number, floor: 1, share: 4, leaseMs: 10_000 };
    },
    leader: () => ({ isSelf: true, address: '' }),
  });
  return { port: await server.listen('127.0.0.1', 0) };
}

function push(version: string, sidecars: number): Promise<PushTimes> {
  return new Promise((resolve) => {
    const tookMs: number[] = [];
    const fromMs = performance.now();
    const stop = fleet.onChange(({ kind, sidecar }) => {
      if (kind !== 'reported' || sidecar.applied !== version) return;
      tookMs.push(performance.now() - fromMs);
      if (tookMs.length < sidecars) return;
      stop();
      const at = (share: number): number => tookMs[Math.ceil(sidecars * share) - 1] ?? 0;
      resolve({ lastMs: at(1), p50Ms: at(0.5), p99Ms: at(0.99) });
    });
    snapshot = snapshotOf(version);
    server?.policiesChanged();
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
      return push(order.version, order.sidecars);
    case 'measure':
      return Promise.resolve(measure());
  }
}

process.on('message', (order: ServerOrder) => {
  void perform(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
