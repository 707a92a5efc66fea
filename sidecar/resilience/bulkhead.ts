import type { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { WaitQueue } from '../../platform/wait-queue.ts';

/** How many calls may run at once, and how many may wait. */
export interface BulkheadSettings {
  readonly max: number;
  /** Most calls that wait; the next one is refused at once, or takes the place of a less urgent one. */
  readonly queue: number;
  readonly queueTimeoutMs: number;
}

interface Waiter {
  readonly grant: () => void;
  readonly refuse: (error: HoldfastError) => void;
}

interface BulkheadParts {
  /** Name of the target, for errors. */
  readonly target: string;
  readonly clock: Clock;
}

/**
 * A bulkhead: at most `max` calls at once, the others wait by priority and then first come, first served. Nobody overtakes: while somebody waits, whoever
 * comes waits too. Under pressure the least urgent go first.
 */
export class Bulkhead {
  readonly #parts: BulkheadParts;
  readonly #queue = new WaitQueue<Waiter>();
  #settings: BulkheadSettings;
  #inFlight = 0;

  constructor(settings: BulkheadSettings, parts: BulkheadParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Undefined when the call may run at once; else resolves when it may. Throws or rejects with CONCURRENCY_LIMIT, or with what ended the call. */
  admit(call: Call): Promise<void> | undefined {
    const { max, queue } = this.#settings;
    if (this.#inFlight < max && this.#queue.length === 0) {
      this.#inFlight += 1;
      return undefined;
    }
    if (this.#queue.length >= queue) {
      const shed = this.#queue.shed(call.priority);
      if (shed === undefined) throw this.#full(0);
      shed.refuse(this.#full(0));
    }
    return this.#wait(call);
  }

  /** A call that was admitted has ended. */
  settle(): void {
    this.#inFlight -= 1;
    this.#grant();
  }

  /** A new limit from now on. Nothing that runs is cut: with a lower one nobody new is let in until so many have ended. */
  configure(settings: BulkheadSettings): void {
    this.#settings = settings;
    this.#grant();
  }

  #grant(): void {
    while (this.#inFlight < this.#settings.max) {
      const waiter = this.#queue.shift();
      if (waiter === undefined) return;
      this.#inFlight += 1;
      waiter.grant();
    }
  }

  #wait(call: Call): Promise<void> {
    const { clock } = this.#parts;
    if (call.ended !== undefined) return Promise.reject(call.ended);
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
      const leave = this.#queue.push({ grant, refuse }, call.priority);
      const stop = clock.after(this.#settings.queueTimeoutMs, tooLong);
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
