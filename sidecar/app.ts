import { isDeepStrictEqual } from 'node:util';
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
import type { PostgresConnection, PostgresTarget, Settings } from './config.ts';
import { drain } from './drain.ts';
import { FrameTable } from './grpc/frame-table.ts';
import { MemoryGuard } from './grpc/memory-guard.ts';
import type { OperationTable } from './grpc/operation.ts';
import { requestMetrics } from './grpc/request-metrics.ts';
import { draining, RequestPath } from './grpc/request-path.ts';
import { listen } from './listeners.ts';
import { SettingsWatch } from './policies/settings-watch.ts';
import { connectToHosts } from './postgres/connect-hosts.ts';
import { Database, type DatabaseEvents } from './postgres/database.ts';
import { redactedSql } from './postgres/redacted-sql.ts';
import { poolMetrics } from './postgres/pool-metrics.ts';
import { redisMetrics } from './redis/redis-metrics.ts';
import { RedisTargets } from './redis/redis-targets.ts';
import { commandOperations } from './services/commands/operations.ts';
import { databaseOperations } from './services/database/operations.ts';
import { Databases } from './services/database/databases.ts';

export interface AppParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** What the process may take in all; undefined when nothing says. */
  readonly memoryBytes?: number | undefined;
  /** Reads the settings again; throws SettingsError. */
  readonly reread: () => Settings;
}

/** A running sidecar. */
export interface App {
  /** Port of the TCP listener; undefined without one. */
  readonly port: number | undefined;
  readonly httpPort: number;
  readonly databases: Databases;
  /** Takes no new calls, lets those under way finish for at most `graceMs`, then closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** In which all connections of a pool are replaced. */
const renewMs = 10_000;

/** Longer than the sidecar's own timers: the server's guard is for when the sidecar is gone or stopped. */
const serverGuardMs = 10_000;

/** Composition root: makes the parts, joins them, and serves. */
export async function startApp(
  settings: Settings,
  { clock, random, log, reread, memoryBytes = Infinity }: AppParts,
): Promise<App> {
  const registry = new Registry();
  processMetrics(registry, memoryBytes);
  const metrics = requestMetrics(registry);
  const statuses = new StatusEncoder(loadMessages());
  const memory = new MemoryGuard({
    clock,
    read: memoryReader(),
    collectGarbage: garbageCollector(),
    limitBytes: memoryBytes,
  });
  const path = new RequestPath({ clock, deadlines: new Deadlines(clock), metrics, log, memory });

  const eventsOf = poolMetrics(registry, () =>
    databases.all.map(({ name, pool }) => ({ name, counts: pool.counts, limit: pool.limit })),
  );
  const connections = new Map<string, PostgresConnection>();
  const databases = new Databases(settings.postgres.map((target) => openDatabase(target)));

  function openDatabase(target: PostgresTarget): Database {
    const { name, pool } = target;
    const events = eventsOf(name);
    const slow: DatabaseEvents['slow'] = (sql, ms) => {
      events.slow();
      log.warn({ pool: name, sql: redactedSql(sql), ms: Math.round(ms) }, 'slow statement');
    };
    connections.set(name, target.connection);
    const where = {
      pool: name,
      preparedStatements: target.preparedStatements,
      connectTimeoutMs: pool.connectTimeoutMs,
      statementTimeoutMs: target.statementTimeoutMs,
      idleInTransactionTimeoutMs: target.idleInTransactionTimeoutMs + serverGuardMs,
      memoryIsFull: () => memory.isFull(),
    };
    return new Database(target, {
      clock,
      random,
      open: () =>
        connectToHosts({ ...(connections.get(name) as PostgresConnection), ...where }, clock),
      events: { ...events, slow },
    });
  }

  const pending = new Map<string, PostgresConnection>();
  /** A pool moves to new credentials, or to another host, connection by connection. */
  const watch = new SettingsWatch({
    clock,
    read: reread,
    onRead: ({ postgres }) => {
      for (const { name, connection } of postgres) {
        const known = connections.get(name);
        if (known === undefined || isDeepStrictEqual(known, connection)) continue;
        // Seen twice: the first time a file may be half written.
        const seen = isDeepStrictEqual(pending.get(name), connection);
        pending.set(name, connection);
        if (!seen) continue;
        connections.set(name, connection);
        databases.named(name).pool.renew(renewMs);
        log.info({ pool: name }, 'new connection settings: every connection is replaced');
      }
    },
    onFault: (fault) => log.error({ fault }, 'settings cannot be read: the old ones stay'),
  });

  const redisEventsOf = redisMetrics(registry, () => redis.readings);
  const redis = new RedisTargets(settings.redis, {
    clock,
    random,
    off: settings.redisOff,
    events: (name) => ({
      ...redisEventsOf(name),
      disconnected: (fault) => {
        redisEventsOf(name).disconnected(fault);
        log.warn({ pool: name, fault }, 'connection to Redis lost');
      },
    }),
  });
  void redis.open();

  const database = databaseOperations(databases, statuses);
  const commands = commandOperations(redis, { statuses, clock, random });
  const operations: OperationTable = {
    ...database,
    unary: [...database.unary, ...commands.unary],
    streams: [...database.streams, ...commands.streams],
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
  const { socket } = settings.server;
  const { port } = listeners;
  log.info({ socket, port, httpPort: health.port, version }, 'serving');

  return {
    port,
    httpPort: health.port,
    databases,
    stop: async (graceMs) => {
      watch.stop();
      const drained = path.drain();
      redis.endSubscriptions(draining());
      for (const listener of listeners.all) listener.drain(graceMs);
      await drain(
        {
          clock,
          drained,
          // Frames of open transactions still come through.
          isBusy: () => databases.all.some(({ pool }) => pool.counts.lent > 0),
          end: async () => void (await Promise.all(listeners.all.map((each) => each.end()))),
          cut: () => listeners.all.forEach(({ server }) => server.forceShutdown()),
          close: async () => {
            await Promise.all([redis.close(), ...databases.all.map((each) => each.close())]);
          },
        },
        graceMs,
      );
      await health.close();
    },
  };
}
