import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import type { Deadlines } from '../platform/deadlines.ts';
import type { Logger } from '../platform/logger.ts';
import type { Settings } from './config.ts';
import type { DataPlane } from './data-plane.ts';
import { raiseFence } from './postgres/fences.ts';
import type { LockGrants } from './services/database/lock-grants.ts';
import type { AuthorityEvents, LockAuthority } from './services/locks/authority.ts';
import { Grants } from './services/locks/grants.ts';
import { lockMetrics } from './services/locks/lock-metrics.ts';
import { noLocks, type Locks } from './services/locks/operations.ts';
import { PostgresAuthority } from './services/locks/postgres-authority.ts';
import { RedisAuthority } from './services/locks/redis-authority.ts';

interface LockingParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly deadlines: Deadlines;
  readonly registry: Registry;
  readonly log: Logger;
  /** Those in force now. */
  readonly settings: () => Settings;
}

/** Locks of the policy. Who grants them is settled by the first policy that has some; their limits are those of the policy in force. */
export class PolicyLocks {
  readonly #data: DataPlane;
  readonly #parts: LockingParts;
  #opened: Locks | undefined;

  constructor(settings: Settings, data: DataPlane, parts: LockingParts) {
    this.#data = data;
    this.#parts = parts;
    this.configure(settings);
  }

  /** Undefined while no policy had any. */
  get opened(): Locks | undefined {
    return this.#opened;
  }

  configure({ locks }: Settings): void {
    if (locks === undefined) return;
    this.#opened ??= openLocks(locks, this.#data, this.#parts);
  }

  /** Throws LOCK_UNSUPPORTED, or POLICY_PENDING. */
  readonly named = (): Locks => {
    if (this.#opened !== undefined) return this.#opened;
    throw this.#data.pending() ?? noLocks();
  };

  /** What transactions need of locks. */
  readonly grants: LockGrants = {
    fencesOf: (leaseIds, pool) => this.named().grants.fencesOf(leaseIds, pool),
    onLost: (leaseIds, listener) => this.named().grants.onLost(leaseIds, listener),
  };
}

type LockSettings = NonNullable<Settings['locks']>;

function openLocks(first: LockSettings, data: DataPlane, parts: LockingParts): Locks {
  const { clock, deadlines, registry, log, settings } = parts;
  const limits = (): LockSettings => settings().locks ?? first;
  const metrics = lockMetrics(registry, () => grants.size);
  const authority = openAuthority(first, data, {
    ...parts,
    longestTtlMs: () => limits().ttlMs,
    onForced: (name) => grants.force(name),
  });
  const grants = new Grants({
    clock,
    deadlines,
    authority,
    newId: randomUUID,
    raise: (pool, lock, mode, call) => {
      const onTerminated = (sessions: number): void =>
        log.warn(
          { pool, sessions },
          'sessions of an earlier holder were terminated: they kept the next one waiting',
        );
      const host = { clock, database: data.databases.named(pool), onTerminated };
      return raiseFence(host, lock, mode, call, limits().fenceWaitMs);
    },
    events: {
      ...metrics,
      lost: (loss, names) => {
        metrics.lost(loss, names);
        log.warn({ locks: names, loss }, 'locks are lost');
      },
    },
  });
  return {
    grants,
    authority,
    get limits() {
      return limits();
    },
  };
}

interface AuthorityParts extends AuthorityEvents, Pick<LockingParts, 'clock' | 'random'> {
  readonly longestTtlMs: () => number;
}

function openAuthority(
  { authority, server }: LockSettings,
  data: DataPlane,
  { clock, random, longestTtlMs, ...events }: AuthorityParts,
): LockAuthority {
  const shared = { clock, random, newId: randomUUID, longestTtlMs, events };
  if (authority === 'Postgres') {
    return new PostgresAuthority({
      ...shared,
      database: () => data.databases.named(server),
      notifications: data.listening.of(server),
    });
  }
  const backend = () => data.redis.named(server);
  return new RedisAuthority({
    ...shared,
    backend,
    subscriber: () => data.redis.subscriber(backend()),
  });
}
