import type { Call, Priority } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { WaitQueue } from '../../platform/wait-queue.ts';

/** How many calls may run at once, and how many may wait. */
export interface BulkheadSettings {
  readonly max: number;
  /** Most calls that wait; the next one is refused at once, or takes the place of a less urgent one. */
  readonly queue: number;
  readonly queueTimeoutMs: number;
  /** Who is next: the first, whoever it is. Else the most urgent, then the first. */
  readonly fifo?: boolean | undefined;
  /** How much of `max` calls of these priorities may fill, above 0 to 1; at least one call. */
  readonly shares?: { readonly normal: number; readonly low: number } | undefined;
}

interface Waiter {
  /** In which they came. */
  readonly order: number;
  readonly grant: () => void;
  readonly refuse: (error: HoldfastError) => void;
}

/** The most urgent first. */
const priorities: readonly Priority[] = ['high', 'normal', 'low'];

interface BulkheadParts {
  /** Name of the target, for errors. */
  readonly target: string;
  readonly clock: Clock;
}

/**
 * A bulkhead: at most `max` calls at once, the others wait by priority and then first come, first served. Nobody overtakes who is as urgent. Under pressure
 * the least urgent go first, and what only they are kept out of is left to the others.
 */
export class Bulkhead {
  readonly #parts: BulkheadParts;
  readonly #queue = new WaitQueue<Waiter>();
  #settings: BulkheadSettings;
  #most: Readonly<Record<Priority, number>>;
  #inFlight = 0;
  #came = 0;

  constructor(settings: BulkheadSettings, parts: BulkheadParts) {
    this.#settings = settings;
    this.#most = mostByPriority(settings);
    this.#parts = parts;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get limit(): number {
    return this.#settings.max;
  }

  /**
   * Undefined when the call may run at once; else resolves when it may. Throws or rejects with CONCURRENCY_LIMIT, at `latestAtMs` at the latest, or with
   * what ended the call.
   */
  admit(call: Call, latestAtMs: number): Promise<void> | undefined {
    // Whoever waits and is as urgent waits because of this very limit.
    if (this.#inFlight < this.#most[call.priority]) {
      this.#inFlight += 1;
      return undefined;
    }
    if (call.ended !== undefined) return Promise.reject(call.ended);
    const { queue, fifo } = this.#settings;
    if (this.#queue.length >= queue) {
      const shed = fifo === true ? undefined : this.#queue.shed(call.priority);
      if (shed === undefined) throw this.#full(0);
      shed.refuse(this.#full(0));
    }
    return this.#wait(call, latestAtMs);
  }

  /** A call that was admitted has ended. */
  settle(): void {
    this.#inFlight -= 1;
    this.#grant();
  }

  /** A new limit from now on. Nothing that runs is cut: with a lower one nobody new is let in until so many have ended. */
  configure(settings: BulkheadSettings): void {
    this.#settings = settings;
    this.#most = mostByPriority(settings);
    this.#grant();
  }

  #grant(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#inFlight += 1;
      next.grant();
    }
  }

  /** Of those whose priority has room. */
  #next(): Waiter | undefined {
    if (this.#queue.length === 0) return undefined;
    let next: Waiter | undefined;
    for (const priority of priorities) {
      const first = this.#queue.firstOf(priority);
      if (first === undefined || this.#inFlight >= this.#most[priority]) continue;
      if (this.#settings.fifo !== true) return first;
      if (next === undefined || first.order < next.order) next = first;
    }
    return next;
  }

  #wait(call: Call, latestAtMs: number): Promise<void> {
    const { clock } = this.#parts;
    const sinceMs = clock.now();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        leave();
        stop();
        unlisten();
      };
      const refuse = (error: HoldfastError): void => {
        settle();
        reject(error);
      };
      const tooLong = (): void => refuse(this.#full(clock.now() - sinceMs));
      const grant = (): void => {
        settle();
        resolve();
      };
      const order = (this.#came += 1);
      const leave = this.#queue.push({ order, grant, refuse }, call.priority);
      const waitMs = Math.min(this.#settings.queueTimeoutMs, latestAtMs - sinceMs);
      const stop = clock.after(waitMs, tooLong);
      // At its deadline the caller wants to know what it waited for, not that time passes.
      const unlisten = call.onEnd((reason) => {
        if (reason.kind === 'deadline') tooLong();
        else refuse(reason);
      });
    });
  }

  #full(waitedMs: number): HoldfastError {
    const { max, queueTimeoutMs } = this.#settings;
    const waited = Math.round(waitedMs);
    return new HoldfastError(
      'exhausted',
      'CONCURRENCY_LIMIT',
      `${max} calls to "${this.#parts.target}" run at once, the most that may, and ${this.#queue.length} wait; this one waited for ${waited} ms`,
      {
        target: this.#parts.target,
        retryAfterMs: Math.max(10, Math.round(queueTimeoutMs / 10)),
        metadata: { queue_length: `${this.#queue.length}`, waited_ms: `${waited}` },
      },
    );
  }
}

function mostByPriority({ max, shares }: BulkheadSettings): Readonly<Record<Priority, number>> {
  const { normal, low } = shares ?? { normal: 1, low: 1 };
  const part = (share: number): number => Math.max(1, Math.floor(max * share));
  return { high: max, normal: part(normal), low: part(Math.min(normal, low)) };
}
