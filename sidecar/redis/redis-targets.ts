import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { LinkEvents } from './link.ts';
import type { RedisBackend } from './redis-backend.ts';
import { RedisPool } from './redis-pool.ts';
import type { RedisOptions } from './redis-options.ts';

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
  readonly #off: boolean;

  constructor(options: readonly RedisOptions[], { off, events, ...parts }: RedisParts) {
    this.#off = off;
    this.#byName = new Map(
      options.map((each) => [
        each.name,
        new RedisPool(each, { ...parts, events: events(each.name) }),
      ]),
    );
  }

  get all(): readonly RedisBackend[] {
    return [...this.#byName.values()];
  }

  /** Starts to connect; resolves when the first attempts have ended, either way. Nothing has to wait for it. */
  async open(): Promise<void> {
    await Promise.all(this.all.map((pool) => pool.open()));
  }

  /** Ends all connections. Commands under way fail with REPLY_LOST: drain first. */
  async close(): Promise<void> {
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
