import type { Clock } from '../../platform/clock.ts';
import type { Exchange } from './exchange.ts';

interface CancellationParts {
  readonly clock: Clock;
  /** Asks the server to cancel whatever the connection runs; resolves when the server has taken the request. */
  readonly request: () => Promise<void>;
  /** The server has not stopped in time. */
  readonly onIgnored: () => void;
}

/** A statement that ends by itself in this time is not worth a cancel request, which is a connection of its own. */
const patienceMs = 20;
/** How long the server may take to stop a cancelled statement. */
const graceMs = 900;
/** How long after it was sent a request may still arrive. */
const strayMs = 2_000;

/**
 * Cancel requests of one connection. PostgreSQL cancels whatever the connection runs when the request arrives, so one is only sent
 * while its target runs, nothing new is lent while one is under way, and neighbours that may have been hit are told apart.
 */
export class Cancellation {
  readonly #parts: CancellationParts;
  #stopTimer: (() => void) | undefined;
  #underWay: Promise<void> | undefined;
  #sentAtMs = -Infinity;

  constructor(parts: CancellationParts) {
    this.#parts = parts;
  }

  /** Has the running exchange stopped; the caller says `done` when it has ended. */
  start(): void {
    const { clock, request, onIgnored } = this.#parts;
    this.done();
    this.#stopTimer = clock.after(patienceMs, () => {
      this.#sentAtMs = clock.now();
      // Of several, the first may well be the last to arrive.
      const sent = Promise.allSettled([this.#underWay, request()]).then(() => {
        if (this.#underWay === sent) this.#underWay = undefined;
      });
      this.#underWay = sent;
      this.#stopTimer = clock.after(graceMs, onIgnored);
    });
  }

  /** At once, whatever runs; nothing may come after it. */
  now(): void {
    void this.#parts.request();
  }

  /** What was to be stopped has ended. */
  done(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Resolves when no request is under way that could hit what comes next. */
  async quiet(): Promise<void> {
    await this.#underWay;
  }

  /** Whether a request that was meant for its neighbour may have hit this exchange. */
  mayHaveHit({ cancelRequested, startedAtMs, tookMs }: Exchange): boolean {
    const sentAtMs = this.#sentAtMs;
    return !cancelRequested && startedAtMs + tookMs >= sentAtMs && startedAtMs - sentAtMs < strayMs;
  }
}
