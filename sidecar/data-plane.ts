import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import type { Deadlines } from '../platform/deadlines.ts';
import type { HoldfastError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { PostgresTarget, Settings } from './config.ts';
import type { ConnectionBudgets } from './control/connection-budgets.ts';
import { missingTarget, policyPending } from './missing-targets.ts';
import { targetsOf } from './policies/target-settings.ts';
import { connectToHosts } from './postgres/connect-hosts.ts';
import { Database, type DatabaseEvents } from './postgres/database.ts';
import { Databases } from './postgres/databases.ts';
import { ListeningSessions } from './postgres/listening-sessions.ts';
import { poolMetrics } from './postgres/pool-metrics.ts';
import type { SessionAsker } from './postgres/server-sessions.ts';
import type { SessionPermit } from './postgres/session-budget.ts';
import { redactedSql } from './postgres/redacted-sql.ts';
import { redisMetrics } from './redis/redis-metrics.ts';
import { RedisTargets } from './redis/redis-targets.ts';
import type { CostEvents } from './resilience/cost-ledger.ts';
import { costMetrics } from './resilience/cost-metrics.ts';
import { PodLedger } from './resilience/pod-ledger.ts';
import type { TargetKind } from './resilience/target-parts.ts';
import { targetMetrics } from './resilience/target-metrics.ts';
import { Targets, type BudgetSettings } from './resilience/targets.ts';
import { FleetLedger } from './services/budgets/fleet-ledger.ts';
import { Upstreams } from './services/upstream/upstreams.ts';

interface DataPlaneParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly registry: Registry;
  readonly deadlines: Deadlines;
  readonly memoryIsFull: () => boolean;
  /** Only with a controller. */
  readonly shares?: ConnectionBudgets | undefined;
}

/** Longer than the sidecar's own timers: the server's guard is for when the sidecar is gone or stopped. */
const serverGuardMs = 10_000;

/** All that calls go to, and what protects it; a swap of policy changes it while calls run. */
export class DataPlane {
  readonly targets: Targets;
  readonly databases: Databases<PostgresTarget>;
  /** By name of the pool. */
  readonly listening: ListeningSessions;
  readonly redis: RedisTargets;
  readonly upstreams: Upstreams;

  /** In force. */
  #settings: Settings;
  /** Budgets of policies in shadow mode. */
  #rehearsed: ReadonlySet<BudgetSettings | undefined> = new Set();

  constructor(settings: Settings, parts: DataPlaneParts) {
    this.#settings = settings;
    const now = (): Settings => this.#settings;
    this.targets = openTargets(parts, {
      targets: () => this.targets,
      database: (pool) => this.databases.named(pool),
      namespace: (kind, name) => namespaceOf(this.#settings.policies, kind, name),
      settings: () => this.#settings,
      isRehearsed: (settings) => this.#rehearsed.has(settings),
    });
    this.#configureTargets(settings);
    this.listening = openListening(parts, () => this.#settings.postgres);
    this.databases = openDatabases(now, parts, this.targets, () => this.databases);
    this.redis = openRedis(now, parts, this.targets, () => this.redis);
    const missing = (name: string) => missingTarget(this.#settings, 'Upstream', name);
    this.upstreams = new Upstreams({ ...parts, missing });
    this.upstreams.configure(settings.upstreams);
  }

  /** Puts settings in force. Calls in flight end under those that they began with. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.#configureTargets(settings);
    this.databases.configure(settings.postgres);
    this.listening.configure();
    this.redis.configure(settings.redis);
    this.upstreams.configure(settings.upstreams);
  }

  /** Subscriptions have no end of their own. */
  endSubscriptions(reason: HoldfastError): void {
    this.redis.endSubscriptions(reason);
  }

  /** The answer to calls while the controller has sent no policy yet; undefined when it has. */
  pending(): HoldfastError | undefined {
    return policyPending(this.#settings);
  }

  /** Whether transactions are open. */
  get isBusy(): boolean {
    return this.databases.all.some(({ pool }) => pool.counts.lent > 0);
  }

  async close(): Promise<void> {
    this.listening.close();
    await Promise.all([this.redis.close(), this.databases.close(), this.upstreams.close()]);
  }

  #configureTargets({ policies }: Settings): void {
    const shadowed = targetsOf(policies, 'Shadow');
    this.#rehearsed = new Set(shadowed.map(({ cost }) => cost));
    this.targets.configure(targetsOf(policies, 'Enforce'), shadowed);
  }
}

/** What is only known when calls come. */
interface Later {
  readonly targets: () => Targets;
  /** Throws UNKNOWN_POOL. */
  readonly database: (pool: string) => Database;
  /** Of the policy that names a target. */
  readonly namespace: (kind: TargetKind, name: string) => string;
  /** In force. */
  readonly settings: () => Settings;
  /** A rehearsal charges nobody: nothing is told of it but what it would have refused. */
  readonly isRehearsed: (settings: BudgetSettings) => boolean;
}

function openTargets(
  { clock, random, log, registry, deadlines }: DataPlaneParts,
  later: Later,
): Targets {
  const eventsOf = targetMetrics(registry, () => later.targets().all);
  const costEventsOf = costMetrics(registry);
  return new Targets({
    clock,
    random,
    deadlines,
    newId: randomUUID,
    pending: () => policyPending(later.settings()),
    events: (kind, name) => {
      const events = eventsOf(kind, name);
      return {
        ...events,
        onBreaker: (state) => {
          events.onBreaker(state);
          log.warn({ kind, target: name, state }, 'the breaker has changed its state');
        },
      };
    },
    openLedger: (kind, target, settings) => {
      if (later.isRehearsed(settings)) {
        return new PodLedger(settings, { target, clock, deadlines, events: silent });
      }
      const costEvents = costEventsOf(kind, target);
      const events: CostEvents = {
        ...costEvents,
        warned: () => {
          costEvents.warned();
          log.warn({ kind, target }, 'a cost budget is nearly used up');
        },
      };
      const { database: pool } = settings;
      if (pool === undefined) return new PodLedger(settings, { target, clock, deadlines, events });
      const namespace = later.namespace(kind, target);
      const database = () => later.database(pool);
      return new FleetLedger(settings, { namespace, kind, target, pool, database, events });
    },
  });
}

const silent: CostEvents = {
  charged: () => {},
  overshot: () => {},
  expired: () => {},
  warned: () => {},
};

function namespaceOf(policies: Settings['policies'], kind: TargetKind, name: string): string {
  const named = policies.find(
    ({ spec }) =>
      spec.mode === 'Enforce' &&
      spec.targets.some((target) => target.kind === kind && target.name === name),
  );
  return named?.metadata.namespace ?? 'default';
}

function openDatabases(
  settings: () => Settings,
  { clock, random, log, registry, memoryIsFull, shares }: DataPlaneParts,
  targets: Targets,
  databases: () => Databases<PostgresTarget>,
): Databases<PostgresTarget> {
  const eventsOf = poolMetrics(registry, () =>
    databases().all.map(({ name, pool }) => ({ name, counts: pool.counts, limit: pool.limit })),
  );
  const open = (target: PostgresTarget, current: () => PostgresTarget): Database => {
    const { name } = target;
    const events = eventsOf(name);
    const slow: DatabaseEvents['slow'] = (sql, ms) => {
      events.slow();
      log.warn({ pool: name, sql: redactedSql(sql), ms: Math.round(ms) }, 'slow statement');
    };
    const connect = (permit: SessionPermit) => {
      const { connection, pool, ...limits } = current();
      return connectToHosts(
        {
          ...connection,
          pool: name,
          preparedStatements: limits.preparedStatements,
          connectTimeoutMs: pool.connectTimeoutMs,
          statementTimeoutMs: limits.statementTimeoutMs,
          idleInTransactionTimeoutMs: limits.idleInTransactionTimeoutMs + serverGuardMs,
          memoryIsFull,
        },
        clock,
        permit,
      );
    };
    const { budgetRef } = target;
    const share = budgetRef && shares?.of(budgetRef.name);
    if (budgetRef !== undefined && share === undefined) {
      log.warn(
        { pool: name, budget: budgetRef.name },
        'without a controller budgetRef does nothing',
      );
    }
    const asker: SessionAsker = {
      lend: (call) => database.pool.lend(call),
      user: () => current().connection.user,
    };
    const database = new Database(target, {
      clock,
      random,
      open: connect,
      events: { ...events, slow },
      target: targets.of('Postgres', name),
      joinBudget: share && ((holder) => share.join(holder, asker)),
    });
    return database;
  };
  return new Databases(settings().postgres, {
    clock,
    open,
    missing: (name) => missingTarget(settings(), 'Postgres', name),
    onRenewed: (pool) =>
      log.info({ pool }, 'new connection settings: every connection is replaced'),
  });
}

function openListening(
  { clock, random, log, shares }: DataPlaneParts,
  postgres: () => readonly PostgresTarget[],
): ListeningSessions {
  return new ListeningSessions({
    clock,
    random,
    joinBudget: (pool) => {
      const budget = postgres().find(({ name }) => name === pool)?.budgetRef?.name;
      const share = budget === undefined ? undefined : shares?.of(budget);
      return share?.joinBudget;
    },
    target: (name) => {
      const found = postgres().find((target) => target.name === name);
      if (found === undefined) throw new Error(`the policy has no pool "${name}" any more`);
      const { connection, pool } = found;
      return { ...connection, connectTimeoutMs: pool.connectTimeoutMs };
    },
    onFailure: (pool) => log.warn({ pool }, 'the session that listens has no connection'),
  });
}

function openRedis(
  settings: () => Settings,
  { clock, random, log, registry }: DataPlaneParts,
  targets: Targets,
  redis: () => RedisTargets,
): RedisTargets {
  const eventsOf = redisMetrics(registry, () => redis().readings);
  return new RedisTargets(settings().redis, {
    clock,
    random,
    off: settings().redisOff,
    missing: (name) => missingTarget(settings(), 'Redis', name),
    target: (name) => targets.of('Redis', name),
    events: (name) => {
      const events = eventsOf(name);
      return {
        ...events,
        disconnected: (fault) => {
          events.disconnected(fault);
          log.warn({ pool: name, fault }, 'connection to Redis lost');
        },
      };
    },
  });
}
