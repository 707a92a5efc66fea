import type { Clock } from '../../../platform/clock.ts';
import type { Deadlines } from '../../../platform/deadlines.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { HttpPool } from '../../http/http-pool.ts';
import type { UpstreamTarget } from '../../settings/upstream-targets.ts';
import { StaleAnswers } from './stale-answers.ts';

/** One HTTP server of the policy, as it is now. */
export interface Upstream {
  readonly settings: UpstreamTarget;
  readonly pool: HttpPool;
  /** With `fallback.stale`. */
  readonly stale: StaleAnswers | undefined;
}

interface UpstreamsParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Why there is no upstream of a name that was asked for, where it is known. */
  readonly missing?: (name: string) => HoldfastError | undefined;
}

/** The HTTP servers of the policy, by name. Shared by all calls. */
export class Upstreams {
  readonly #parts: UpstreamsParts;
  #byName: ReadonlyMap<string, Upstream> = new Map();
  /** Those that no policy names any more, until their last request has ended. */
  readonly #draining = new Set<HttpPool>();

  constructor(parts: UpstreamsParts) {
    this.#parts = parts;
  }

  /** The upstreams from now on. What needs no other connections keeps those it has; other connections end with their last request. */
  configure(targets: readonly UpstreamTarget[]): void {
    const before = this.#byName;
    this.#byName = new Map(
      targets.map((settings) => [settings.name, this.#next(before.get(settings.name), settings)]),
    );
    const kept = new Set([...this.#byName.values()].map(({ pool }) => pool));
    for (const { pool } of before.values()) if (!kept.has(pool)) this.#drain(pool);
  }

  /** Throws UNKNOWN_TARGET when no policy names it any more. */
  named(name: string): Upstream {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const missing = this.#parts.missing?.(name);
    if (missing !== undefined) throw missing;
    throw new HoldfastError(
      'not-found',
      'UNKNOWN_TARGET',
      'the policy names no upstream of this name any more',
    );
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    const pools = [...[...this.#byName.values()].map(({ pool }) => pool), ...this.#draining];
    this.#byName = new Map();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #next(before: Upstream | undefined, settings: UpstreamTarget): Upstream {
    const isSameServer = before?.settings.baseUrl === settings.baseUrl;
    const limits = settings.fallback?.stale;
    let stale = limits !== undefined && isSameServer ? before?.stale : undefined;
    if (limits !== undefined) {
      stale ??= new StaleAnswers(limits, this.#parts.clock);
      stale.configure(limits);
    }
    const pool =
      before !== undefined && before.pool.configure(settings)
        ? before.pool
        : new HttpPool(settings, this.#parts);
    return { settings, pool, stale };
  }

  #drain(pool: HttpPool): void {
    this.#draining.add(pool);
    void pool.drain().finally(() => this.#draining.delete(pool));
  }
}
