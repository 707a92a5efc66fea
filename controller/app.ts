import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import { serveHealth } from '../platform/health-server.ts';
import type { Logger } from '../platform/logger.ts';
import { processMetrics } from '../platform/process-metrics.ts';
import { version } from '../platform/version.ts';
import type { ClusterSettings, Settings } from './config.ts';
import { type Access, kubeconfigAccess, podAccess } from './kube/access.ts';
import { openKubeApi } from './kube/api.ts';
import { type Caches, openCaches } from './kube/caches.ts';
import { kubeMetrics } from './kube/kube-metrics.ts';
import { type Election, joinElection } from './kube/leader-election.ts';

export interface AppParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** What the process may take in all; undefined when nothing says. */
  readonly memoryBytes?: number | undefined;
}

/** A running controller. */
export interface App {
  readonly httpPort: number;
  readonly caches: Caches;
  readonly election: Election;
  /** Hands over, lets what is under way finish for at most `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** Composition root: makes the parts, joins them, and serves. */
export async function startApp(
  settings: Settings,
  { clock, random, log, memoryBytes = Infinity }: AppParts,
): Promise<App> {
  const { namespace } = settings;
  const registry = new Registry();
  processMetrics(registry, memoryBytes);
  const api = openKubeApi(await accessOf(settings.cluster, clock), clock);

  const metrics = kubeMetrics(registry, () => ({ caches, isLeading: election.isLeading() }));
  const caches = openCaches({
    api,
    clock,
    random,
    relistMs: settings.relistMs,
    onFault: (kind, fault) => {
      metrics.watchFailed(kind);
      log.warn({ kind, fault: fault.message }, 'a watch failed');
    },
  });

  const identity = `${settings.podName}_${randomUUID()}`;
  const election = joinElection({
    api,
    namespace,
    name: settings.leaseName,
    candidate: { identity, address: addressOf(settings.advertiseHost, settings.discoveryPort) },
    clock,
    random,
    onStarted: () => {
      log.info({ identity }, 'leading');
    },
    onStopped: () => {
      log.info({ identity }, 'leading no more');
    },
    onLeader: (leader) => log.info({ leader }, 'the leader'),
    onFault: (fault) => log.warn({ fault: fault.message }, 'the election failed to look'),
  });

  let stopping = false;
  const health = await serveHealth({
    port: settings.httpPort,
    registry,
    ready: () => !stopping && caches.areSynced,
  });
  log.info({ httpPort: health.port, namespace, identity, version }, 'serving');

  return {
    httpPort: health.port,
    caches,
    election,
    stop: async () => {
      stopping = true;
      await election.stop();
      await caches.stop();
      await api.close();
      await health.close();
    },
  };
}

const accessOf = async (cluster: ClusterSettings, clock: Clock): Promise<Access> =>
  cluster.kind === 'pod' ? podAccess(cluster, clock) : kubeconfigAccess(cluster.path, clock);

const addressOf = (host: string | undefined, port: number): string | undefined => {
  if (host === undefined) return undefined;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};
