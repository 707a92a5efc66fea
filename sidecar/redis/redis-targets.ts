import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { ClusterPool } from './cluster-pool.ts';
import type { LinkEvents, LinkParts } from './link.ts';
import type { RedisBackend } from './redis-backend.ts';
import { RedisPool } from './redis-pool.ts';
import type { RedisReading } from './redis-metrics.ts';
import type { LinkOptions, RedisOptions } from './redis-options.ts';
import { Subscriber } from './subscriber.ts';

interface RedisParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of reconnects. */
  readonly random: () => number;
  /** What the connections of one Redis tell. */
  readonly events: (name: string) => LinkEvents;
  /** Somebody said that there is no Redis (REDIS_URL=off). */
  readonly off: boolean;
}

const defaultName = 'default';

/** The Redis servers of the policy, by name. Shared by all calls. */
export class RedisTargets {
  readonly #byName: ReadonlyMap<string, RedisBackend>;
  readonly #subscribers: ReadonlyMap<RedisBackend, Subscriber>;
  readonly #events: (name: string) => LinkEvents;
  readonly #off: boolean;

  constructor(options: readonly RedisOptions[], { off, events, ...parts }: RedisParts) {
    this.#off = off;
    this.#events = events;
    const backends = options.map((each) =>
      openBackend(each, { ...parts, events: events(each.name) }),
    );
    this.#byName = new Map(backends.map((backend) => [backend.name, backend]));
    this.#subscribers = new Map(
      backends.map((backend) => {
        const { name } = backend;
        const place = (): LinkOptions => backend.subscriberPlace();
        return [backend, new Subscriber({ ...parts, name, place, events: events(name) })];
      }),
    );
  }

  get all(): readonly RedisBackend[] {
    return [...this.#byName.values()];
  }

  /** For metrics. */
  get readings(): readonly RedisReading[] {
    return this.all.map((backend) => ({
      name: backend.name,
      readyConnections: backend.readyConnections,
      wantedConnections: backend.wantedConnections,
      inFlight: backend.inFlight,
      blocked: backend.blocked,
      subscribers: this.subscriber(backend).listeners,
    }));
  }

  /** The connection of a Redis that subscribes. */
  subscriber(backend: RedisBackend): Subscriber {
    const subscriber = this.#subscribers.get(backend);
    if (subscriber === undefined) throw new Error('a Redis of other targets');
    return subscriber;
  }

  /** What the connections of a Redis tell. */
  events(name: string): LinkEvents {
    return this.#events(name);
  }

  /** Ends all subscriptions, which have no end of their own, with an error. */
  endSubscriptions(error: HoldfastError): void {
    for (const subscriber of this.#subscribers.values()) subscriber.end(error);
  }

  /** Starts to connect; resolves when the first attempts have ended, either way. Nothing has to wait for it. */
  async open(): Promise<void> {
    await Promise.all(this.all.map((pool) => pool.open()));
  }

  /** Ends all connections. Commands under way fail with REPLY_LOST: drain first. */
  async close(): Promise<void> {
    for (const subscriber of this.#subscribers.values()) subscriber.close();
    await Promise.all(this.all.map((pool) => pool.close()));
  }

  /** The Redis of a request; empty is `default`. Throws UNKNOWN_POOL, or REDIS_OFF. */
  named(pool: string): RedisBackend {
    const found = this.#byName.get(pool === '' ? defaultName : pool);
    if (found !== undefined) return found;
    if (this.#off) {
      throw new HoldfastError(
        'precondition',
        'REDIS_OFF',
        'this sidecar runs without Redis (REDIS_URL=off)',
      );
    }
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
