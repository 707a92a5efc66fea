import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import { serveHealth } from '../platform/health-server.ts';
import type { Logger } from '../platform/logger.ts';
import { processMetrics } from '../platform/process-metrics.ts';
import { version } from '../platform/version.ts';
import { startBudgets } from './budget/start-budgets.ts';
import type { ClusterSettings, Settings } from './config.ts';
import { discoveryMetrics } from './discovery/discovery-metrics.ts';
import { DiscoveryServer } from './discovery/discovery-server.ts';
import { Fleet } from './discovery/fleet.ts';
import { type Access, kubeconfigAccess, podAccess } from './kube/access.ts';
import { openKubeApi } from './kube/api.ts';
import { openCaches } from './kube/caches.ts';
import { eventRecorder } from './kube/events.ts';
import { watchKind } from './kube/known-kinds.ts';
import { kubeMetrics } from './kube/kube-metrics.ts';
import { type Election, joinElection } from './kube/leader-election.ts';
import { objectsOf } from './kube/objects.ts';
import { resources } from './kube/resource.ts';
import { reviewToken } from './kube/reviews.ts';
import { policyWork } from './policy-work.ts';
import { openCertificates, startWebhooks } from './webhook-work.ts';

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
  readonly discoveryPort: number;
  readonly webhookPort: number;
  readonly isLeading: () => boolean;
  /** Hands over, lets what is under way finish for at most `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** Of the tokens that sidecars show. */
const audience = 'holdfast-controller';

/** Composition root: makes the parts, joins them, and serves; resolves when all of it does. */
export async function startApp(
  settings: Settings,
  { clock, random, log, memoryBytes = Infinity }: AppParts,
): Promise<App> {
  const { namespace } = settings;
  await using started = new AsyncDisposableStack();
  const registry = new Registry();
  processMetrics(registry, memoryBytes);
  // It begins last, and is asked from the first.
  const joined: { election?: Election } = {};
  const isLeading = (): boolean => joined.election?.isLeading() === true;

  let serving = false;
  const health = await serveHealth({
    port: settings.httpPort,
    registry,
    ready: () => serving && caches.areSynced,
  });
  started.defer(() => health.close());
  log.info({ httpPort: health.port, namespace, version }, 'starting');

  // What the cluster is.
  const api = openKubeApi(await accessOf(settings.cluster, clock), clock);
  started.defer(() => api.close());
  const watched = kubeMetrics(registry, () => ({ caches, isLeading: isLeading() }));
  const caches = openCaches({
    api,
    clock,
    random,
    relistMs: settings.relistMs,
    onFault: (kind, fault) => {
      watched.watchFailed(kind);
      log.warn({ kind, fault: fault.message }, 'a watch failed');
    },
  });
  started.defer(() => caches.stop());
  const objects = objectsOf(api);
  const events = eventRecorder({
    api,
    clock,
    instance: settings.podName,
    onFault: (fault) => log.warn({ err: fault }, 'an event could not be written'),
  });
  started.defer(() => events.stop());
  const prometheusRules = await watchKind(api, clock, resources.prometheusRules);
  started.defer(() => prometheusRules.stop());
  const certificates = await openCertificates(settings.webhooks, {
    api,
    clock,
    log,
    signal: new AbortController().signal,
  });
  started.defer(() => certificates.close());
  await caches.synced;

  // What is made of it.
  const fleet = new Fleet();
  const policies = policyWork({
    cluster: { ...caches, isSynced: () => caches.areSynced },
    objects,
    events,
    fleet,
    hasPrometheusRules: () => prometheusRules.isKnown,
    registry,
    clock,
    random,
    onFault: (policy, fault) => log.warn({ policy, err: fault }, 'a policy is tried again'),
  });
  const budgets = startBudgets({
    clock,
    log,
    registry,
    objects: {
      get: (name, signal) => objects.get(resources.budgets, { name }, signal),
      replaceStatus: (budget, signal) => objects.replaceStatus(budget, signal),
    },
    budgets: caches.budgets,
    pods: caches.pods,
    namespaceLabels: (name) => caches.namespaces.get(name)?.metadata.labels ?? {},
    isLeading,
  });

  // Whom it serves.
  const webhooks = await startWebhooks({
    settings: settings.webhooks,
    port: settings.webhookPort,
    api,
    caches,
    certificates,
    registry,
    clock,
    log,
  });
  let lingerUntilMs = -Infinity;
  started.defer(async () => {
    await clock.sleep(Math.max(0, lingerUntilMs - clock.now()));
    await webhooks.stop(flushMs);
  });

  const identity = `${settings.podName}_${randomUUID()}`;
  const discovery = new DiscoveryServer({
    clock,
    random,
    log,
    metrics: discoveryMetrics(registry, () => fleet.size),
    fleet,
    certificates,
    review: (token, signal) => reviewToken(api, audience, token, signal),
    snapshotOf: (podUid) => policies.effective.snapshotOf(podUid),
    onHeartbeat: (sidecar, heartbeat) => budgets.onHeartbeat(sidecar, heartbeat),
    leader: () => {
      const leader = joined.election?.leader();
      const isSelf = leader?.identity === identity;
      if (leader?.address === undefined) return isSelf ? { isSelf, address: '' } : undefined;
      return { isSelf, address: leader.address };
    },
  });
  const discoveryPort = await discovery.listen('::', settings.discoveryPort);
  started.defer(() => discovery.stop());
  started.defer(
    policies.effective.onChange((change) => {
      if (change.kind === 'pod') discovery.podChanged(change.podUid);
      else discovery.policiesChanged(change.namespace);
    }),
  );

  // Who leads.
  let work: { stop(): Promise<void> } | undefined;
  const election = joinElection({
    api,
    namespace,
    name: settings.leaseName,
    candidate: { identity, address: addressOf(settings.advertiseHost, discoveryPort) },
    clock,
    random,
    onStarted: () => {
      log.info({ identity }, 'leading');
      budgets.lead();
      work = policies.lead();
    },
    onStopped: () => {
      log.info({ identity }, 'leading no more');
      budgets.follow();
      void work?.stop();
    },
    onLeader: (leader) => {
      log.info({ leader }, 'the leader');
      discovery.leaderChanged();
    },
    onFault: (fault) => log.warn({ fault: fault.message }, 'the Lease could not be looked at'),
  });
  started.defer(() => work?.stop());
  joined.election = election;
  started.defer(() => election.stop());

  serving = true;
  const ports = { httpPort: health.port, discoveryPort, webhookPort: webhooks.port };
  log.info({ ...ports, namespace, identity, version }, 'serving');
  const running = started.move();
  return {
    ...ports,
    isLeading,
    stop: async (graceMs) => {
      serving = false;
      lingerUntilMs = clock.now() + Math.min(lingerMs, graceMs / 2);
      const late = new AbortController();
      const stopped = running.disposeAsync().then(() => late.abort());
      // What is cut then is somebody else's to do again.
      await Promise.race([stopped, clock.sleep(graceMs, late.signal).catch(() => undefined)]);
    },
  };
}

/** Reviews that are under way are answered within so long. */
const flushMs = 2_000;
/** The API server calls a replica that stops until all nodes know that it does; a review that is not taken is a pod that is refused. */
const lingerMs = 3_000;

const accessOf = async (cluster: ClusterSettings, clock: Clock): Promise<Access> =>
  cluster.kind === 'pod' ? podAccess(cluster, clock) : kubeconfigAccess(cluster.path, clock);

const addressOf = (host: string | undefined, port: number): string | undefined => {
  if (host === undefined) return undefined;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};
