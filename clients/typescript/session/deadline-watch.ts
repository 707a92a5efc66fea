import type { Clock } from '../../../platform/clock.ts';

/** Deadlines are seen at most this much late. */
const coarseMs = 10;
/** Timers have a longest delay; a check too many does no harm. */
const longestMs = 3_600_000;

/** One timer for the deadlines of any number of calls: it is moved only by a deadline sooner than all the others. */
export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #check: (nowMs: number) => number;
  #nextAtMs = Infinity;
  #stop: (() => void) | undefined;

  /** `check` ends what is due and gives the time of the next deadline on the clock; Infinity for none. */
  constructor(clock: Clock, check: (nowMs: number) => number) {
    this.#clock = clock;
    this.#check = check;
  }

  /** To be called for each new deadline. */
  watch(atMs: number): void {
    if (atMs < this.#nextAtMs) this.#set(atMs, 0);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#nextAtMs = Infinity;
  }

  #set(atMs: number, soonestMs: number): void {
    this.#stop?.();
    this.#nextAtMs = atMs;
    const delayMs = Math.min(longestMs, Math.max(soonestMs, atMs - this.#clock.now()));
    this.#stop = this.#clock.after(delayMs, () => {
      this.#stop = undefined;
      this.#nextAtMs = Infinity;
      const next = this.#check(this.#clock.now());
      if (next !== Infinity && next < this.#nextAtMs) this.#set(next, coarseMs);
    });
  }
}
