import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import { Deadlines } from '../platform/deadlines.ts';
import { loadContract, loadMessages } from '../platform/grpc/contract.ts';
import { loadReflectedContract } from '../platform/grpc/reflected-contract.ts';
import { StatusEncoder } from '../platform/grpc/status.ts';
import { serveHealth } from '../platform/health-server.ts';
import type { Logger } from '../platform/logger.ts';
import { garbageCollector, memoryReader } from '../platform/process-memory.ts';
import { processMetrics } from '../platform/process-metrics.ts';
import { version } from '../platform/version.ts';
import type { Reread, Settings } from './config.ts';
import { ConnectionBudgets } from './control/connection-budgets.ts';
import { openControl } from './control-link.ts';
import { DataPlane } from './data-plane.ts';
import { drain } from './drain.ts';
import { openEventService } from './event-service.ts';
import { FrameTable } from './grpc/frame-table.ts';
import { MemoryGuard } from './grpc/memory-guard.ts';
import type { OperationTable } from './grpc/operation.ts';
import { requestMetrics } from './grpc/request-metrics.ts';
import { draining, RequestPath } from './grpc/request-path.ts';
import { listen } from './listeners.ts';
import { PolicyLocks } from './locking.ts';
import { LivePolicy } from './policies/live-policy.ts';
import { SettingsWatch } from './policies/settings-watch.ts';
import type { NamedDatabases } from './postgres/databases.ts';
import { budgetOperations } from './services/budgets/operations.ts';
import { commandOperations } from './services/commands/operations.ts';
import { databaseOperations } from './services/database/operations.ts';
import { guardMetrics } from './services/guard/guard-metrics.ts';
import { guardOperations } from './services/guard/operations.ts';
import { Permits } from './services/guard/permits.ts';
import { lockOperations } from './services/locks/operations.ts';
import { faultsOf, fileSignature } from './settings/policy-settings.ts';
import { policyOperations } from './services/policies/operations.ts';
import { upstreamOperations } from './services/upstream/operations.ts';
import { upstreamMetrics } from './services/upstream/upstream-metrics.ts';

export interface AppParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** What the process may take in all; undefined when nothing says. */
  readonly memoryBytes?: number | undefined;
  readonly reread: Reread;
}

/** A running sidecar. */
export interface App {
  /** Port of the TCP listener; undefined without one. */
  readonly port: number | undefined;
  readonly httpPort: number;
  readonly databases: NamedDatabases;
  /** Takes no new calls, lets those under way finish for at most `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** Composition root: makes the parts, joins them, and serves. */
export async function startApp(
  given: Settings,
  { clock, random, log, reread, memoryBytes = Infinity }: AppParts,
): Promise<App> {
  const registry = new Registry();
  const control = openControl(given, { clock, random, log, registry, reread });
  const settings = control?.settings ?? given;
  const { budgets: link, floors } = control ?? {};
  const shares =
    link && floors && new ConnectionBudgets({ clock, random, log, registry, link, floors });
  processMetrics(registry, memoryBytes);
  const metrics = requestMetrics(registry);
  const statuses = new StatusEncoder(loadMessages());
  const memory = new MemoryGuard({
    clock,
    read: memoryReader(),
    collectGarbage: garbageCollector(),
    limitBytes: memoryBytes,
  });
  const deadlines = new Deadlines(clock);
  const look = (nowMs: number): void => locks.opened?.grants.look(nowMs);
  const path = new RequestPath({ clock, deadlines, metrics, log, memory, look });

  const data = new DataPlane(settings, {
    clock,
    random,
    log,
    registry,
    deadlines,
    memoryIsFull: () => memory.isFull(),
    shares,
  });
  const policy = new LivePolicy(settings, {
    clock,
    log,
    registry,
    apply: (read) => {
      data.configure(read);
      locks.configure(read);
    },
  });
  const watch = new SettingsWatch({
    clock,
    signature: () => fileSignature(settings.policyFile),
    read: () => {
      control?.look();
      return control?.reread() ?? reread();
    },
    onRead: (read) => policy.read(read),
    onFault: (fault) => policy.reject(faultsOf(fault)),
  });

  const locks = new PolicyLocks(settings, data, {
    clock,
    random,
    deadlines,
    registry,
    log,
    settings: () => policy.settings,
  });
  const database = databaseOperations(data.databases, statuses, locks.grants);
  const locking = lockOperations({ clock, locks: locks.named });
  const commands = commandOperations(data.redis, { statuses, clock, random });
  const budgets = budgetOperations(data.targets, { newId: randomUUID });
  const permits = new Permits({
    clock,
    deadlines,
    newId: randomUUID,
    events: guardMetrics(registry, () => permits.counts),
  });
  const guard = guardOperations(data.targets, permits);
  const upstream = upstreamOperations({
    upstreams: data.upstreams,
    targets: data.targets,
    clock,
    maxMessageBytes: settings.server.maxMessageBytes,
    events: upstreamMetrics(registry),
  });
  const policies = policyOperations(policy, () => data.targets.all, control);
  const events = openEventService(data, { clock, random, registry });
  const operations: OperationTable = {
    ...database,
    unary: [
      ...database.unary,
      ...commands.unary,
      ...guard.unary,
      ...budgets.unary,
      ...upstream.unary,
      ...policies.unary,
      ...events.unary,
      ...locking.unary,
    ],
    streams: [
      ...database.streams,
      ...commands.streams,
      ...upstream.streams,
      ...events.streams,
      ...locking.streams,
    ],
  };
  const parts = {
    contract: loadContract(),
    reflected: loadReflectedContract(),
    operations,
    frames: new FrameTable(operations.unary, loadMessages(), statuses),
    path,
    statuses,
    metrics,
    limits: { ...settings.server.session, maxMessageBytes: settings.server.maxMessageBytes },
    clock,
    version,
  };

  let serving = false;
  const health = await serveHealth({
    port: settings.server.httpPort,
    registry,
    ready: () => serving && !path.draining,
  });
  const listeners = await listen(settings.server, parts).catch(async (error: unknown) => {
    await health.close();
    throw error;
  });
  serving = true;
  control?.start(policy);
  const { socket } = settings.server;
  const { port } = listeners;
  log.info({ socket, port, httpPort: health.port, version }, 'serving');

  return {
    port,
    httpPort: health.port,
    databases: data.databases,
    stop: async (graceMs) => {
      watch.stop();
      const drained = path.drain();
      data.endSubscriptions(draining());
      events.endSubscriptions(draining());
      for (const listener of listeners.all) listener.drain(graceMs);
      await drain(
        {
          clock,
          drained,
          // Frames of open transactions still come through, and so do Exits.
          isBusy: () => data.isBusy || permits.size > 0 || (locks.opened?.grants.size ?? 0) > 0,
          end: async () => void (await Promise.all(listeners.all.map((each) => each.end()))),
          cut: () => listeners.all.forEach(({ server }) => server.forceShutdown()),
          close: async () => {
            events.close();
            await locks.opened?.grants.close();
            await data.close();
            shares?.leave();
            await control?.stop();
          },
        },
        graceMs,
      );
      await health.close();
    },
  };
}
