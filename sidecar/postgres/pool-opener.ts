import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { mayPass } from './pool-errors.ts';
import type { SessionPermit } from './session-budget.ts';

interface OpenerParts<C> {
  readonly clock: Clock;
  readonly random: () => number;
  /** Leave to open one; undefined: not now, and whoever gives it says when it is worth asking again. */
  readonly reserve: () => SessionPermit | undefined;
  readonly open: (permit: SessionPermit) => Promise<C>;
  /** `outdated`: `renew` came between. */
  readonly onOpened: (connection: C, outdated: boolean) => void;
  /** `retryInMs`: when opening may be tried again. */
  readonly onFailed: (failure: HoldfastError, retryInMs: number) => void;
  /** The wait after a failure is over. */
  readonly onRetry: () => void;
}

const mostAtOnce = 8;
const backoffBaseMs = 100;
const backoffMaxMs = 5_000;
/** Where it is only full: callers wait, and sessions come and go. */
const fullMaxMs = 1_000;

/** Opens a pool's connections, a few at a time, and waits longer after each failure (full jitter), so that a database that comes back is not run down. */
export class PoolOpener<C> {
  readonly #parts: OpenerParts<C>;
  #opening = 0;
  #failures = 0;
  #generation = 0;
  #failure: HoldfastError | undefined;
  #downUntilMs = -Infinity;
  #stopRetry: (() => void) | undefined;
  #stopped = false;

  constructor(parts: OpenerParts<C>) {
    this.#parts = parts;
  }

  /** Connections under way; the server may count them already. */
  get opening(): number {
    return this.#opening;
  }

  /** Why nothing can be opened just now, and for how long. */
  get down(): { readonly failure: HoldfastError; readonly forMs: number } | undefined {
    const forMs = this.#downUntilMs - this.#parts.clock.now();
    return this.#failure !== undefined && forMs > 0 ? { failure: this.#failure, forMs } : undefined;
  }

  /** Opens up to `count` more, unless opening has just failed. */
  open(count: number): void {
    if (this.down !== undefined) return;
    for (let left = Math.min(count, mostAtOnce - this.#opening); left > 0; left -= 1) {
      const permit = this.#parts.reserve();
      if (permit === undefined) return;
      void this.#openOne(permit);
    }
  }

  /** Where to connect to, or as whom, has changed: what made opening fail may be gone, and what is being opened is old already. */
  renew(): void {
    this.#generation += 1;
    this.#failure = undefined;
    this.#failures = 0;
  }

  /** Tries no more. What is under way still comes to its end. */
  stop(): void {
    this.#stopped = true;
    this.#stopRetry?.();
  }

  async #openOne(permit: SessionPermit): Promise<void> {
    this.#opening += 1;
    const generation = this.#generation;
    try {
      const connection = await this.#parts.open(permit).finally(() => permit.end());
      this.#opening -= 1;
      this.#failures = 0;
      this.#failure = undefined;
      this.#parts.onOpened(connection, generation !== this.#generation);
    } catch (thrown) {
      this.#opening -= 1;
      this.#failed(HoldfastError.from(thrown));
    }
  }

  #failed(failure: HoldfastError): void {
    const { clock, random, onFailed, onRetry } = this.#parts;
    const known = this.down;
    this.#failure = failure;
    // Those that were opened together fail together: the database is asked once for all of them, and they count once.
    if (known !== undefined) return onFailed(failure, known.forMs);
    this.#failures += 1;
    const longestMs = mayPass(failure) ? fullMaxMs : backoffMaxMs;
    const mostMs = Math.min(longestMs, backoffBaseMs * 2 ** this.#failures);
    const waitMs = backoffBaseMs + random() * mostMs;
    this.#downUntilMs = clock.now() + waitMs;
    this.#stopRetry?.();
    if (!this.#stopped) this.#stopRetry = clock.after(waitMs, onRetry);
    return onFailed(failure, waitMs);
  }
}
