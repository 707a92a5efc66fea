import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Target } from '../resilience/target.ts';
import { ClusterPool } from './cluster-pool.ts';
import type { LinkEvents, LinkParts } from './link.ts';
import type { RedisBackend } from './redis-backend.ts';
import { RedisPool } from './redis-pool.ts';
import { redisUnavailable } from './reply-errors.ts';
import type { RedisReading } from './redis-metrics.ts';
import type { LinkOptions, RedisOptions } from './redis-options.ts';
import { Subscriber } from './subscriber.ts';

/** The policy of one Redis. */
export type Protection = Pick<Target, 'run' | 'enter' | 'passes'>;

interface RedisParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of reconnects. */
  readonly random: () => number;
  /** What the connections of one Redis tell. */
  readonly events: (name: string) => LinkEvents;
  /** What protects one Redis. */
  readonly target: (name: string) => Protection;
  /** Somebody said that there is no Redis (REDIS_URL=off). */
  readonly off: boolean;
  /** Why there is no Redis of a name that was asked for, where it is known. */
  readonly missing?: (name: string) => HoldfastError | undefined;
}

interface Opened {
  readonly backend: RedisBackend;
  readonly subscriber: Subscriber;
  readonly target: Protection;
  /** Ends when the first attempts to connect have ended, either way. */
  readonly opening: Promise<void>;
}

const defaultName = 'default';
const lookEveryMs = 200;

/** The Redis servers of the policy, by name. Shared by all calls; a swap of policy opens, replaces and drains them. */
export class RedisTargets {
  readonly #parts: RedisParts;
  readonly #byName = new Map<string, Opened>();
  /** Replaced, or of no policy any more: closed when the last of their commands has ended. */
  readonly #leaving = new Set<RedisBackend>();

  constructor(options: readonly RedisOptions[], parts: RedisParts) {
    this.#parts = parts;
    this.configure(options);
  }

  /**
   * The servers of now; starts to connect to new ones. One whose settings have changed is replaced: commands in flight end on the old connections, and
   * subscriptions move when they next reconnect. Subscriptions of one that is gone end.
   */
  configure(options: readonly RedisOptions[]): void {
    const names = new Set(options.map(({ name }) => name));
    for (const [name, { backend, subscriber }] of this.#byName) {
      if (names.has(name)) continue;
      this.#byName.delete(name);
      subscriber.end(redisUnavailable(name, 'REMOVED', 1_000));
      subscriber.close();
      this.#leave(backend);
    }
    for (const each of options) {
      const known = this.#byName.get(each.name);
      if (known !== undefined && isDeepStrictEqual(known.backend.options, each)) continue;
      this.#byName.set(each.name, this.#open(each, known?.subscriber));
      if (known !== undefined) this.#leave(known.backend);
    }
  }

  #open(options: RedisOptions, subscriber = this.#subscribe(options.name)): Opened {
    const { name } = options;
    const { events, target, ...parts } = this.#parts;
    const backend = openBackend(options, { ...parts, events: events(name) });
    return { backend, subscriber, target: target(name), opening: backend.open() };
  }

  #subscribe(name: string): Subscriber {
    const { events, ...parts } = this.#parts;
    const place = (): LinkOptions => this.named(name).subscriberPlace();
    return new Subscriber({ ...parts, name, place, events: events(name) });
  }

  #leave(backend: RedisBackend): void {
    this.#leaving.add(backend);
    const look = (): void => {
      if (backend.inFlight + backend.blocked > 0) {
        return void this.#parts.clock.after(lookEveryMs, look);
      }
      void backend.close().finally(() => this.#leaving.delete(backend));
    };
    this.#parts.clock.after(lookEveryMs, look);
  }

  get all(): readonly RedisBackend[] {
    return [...this.#byName.values()].map(({ backend }) => backend);
  }

  /** For metrics. */
  get readings(): readonly RedisReading[] {
    return [...this.#byName.values()].map(({ backend, subscriber }) => ({
      name: backend.name,
      readyConnections: backend.readyConnections,
      wantedConnections: backend.wantedConnections,
      inFlight: backend.inFlight,
      blocked: backend.blocked,
      subscribers: subscriber.listeners,
    }));
  }

  /** The connection of a Redis that subscribes. */
  subscriber({ name }: RedisBackend): Subscriber {
    return this.#named(name).subscriber;
  }

  /** What the connections of a Redis tell. */
  events(name: string): LinkEvents {
    return this.#parts.events(name);
  }

  /** Ends all subscriptions, which have no end of their own, with an error. */
  endSubscriptions(error: HoldfastError): void {
    for (const { subscriber } of this.#byName.values()) subscriber.end(error);
  }

  /** Resolves when the first attempts to connect have ended, either way. Nothing has to wait for it. */
  async opened(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(({ opening }) => opening));
  }

  /** Ends all connections. Commands under way fail with REPLY_LOST: drain first. */
  async close(): Promise<void> {
    for (const { subscriber } of this.#byName.values()) subscriber.close();
    await Promise.all([...this.all, ...this.#leaving].map((backend) => backend.close()));
  }

  /** The Redis of a request; empty is `default`. Throws UNKNOWN_POOL, or REDIS_OFF. */
  named(pool: string): RedisBackend {
    return this.#named(pool).backend;
  }

  /** What protects the Redis of a request. Throws as `named` does. */
  target(pool: string): Protection {
    return this.#named(pool).target;
  }

  #named(pool: string): Opened {
    const found = this.#byName.get(pool === '' ? defaultName : pool);
    if (found !== undefined) return found;
    if (this.#parts.off) {
      throw new HoldfastError(
        'precondition',
        'REDIS_OFF',
        'this sidecar runs without Redis (REDIS_URL=off)',
      );
    }
    const missing = this.#parts.missing?.(pool === '' ? defaultName : pool);
    if (missing !== undefined) throw missing;
    const known = [...this.#byName.keys()].map((name) => `"${name}"`).join(', ');
    throw new HoldfastError(
      'not-found',
      'UNKNOWN_POOL',
      `no Redis has the name that the request gives; the policy has ${known === '' ? 'none' : known}`,
    );
  }

  /** Label of metrics: never text that a caller made up. */
  label(pool: string): string {
    const name = pool === '' ? defaultName : pool;
    return this.#byName.has(name) ? name : 'unknown';
  }
}

function openBackend(options: RedisOptions, parts: LinkParts): RedisBackend {
  const { place } = options.connection;
  return place.kind === 'cluster'
    ? new ClusterPool(options, place.nodes, parts)
    : new RedisPool(options, parts);
}
