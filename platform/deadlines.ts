import type { Clock } from './clock.ts';

/** One deadline that is being watched. */
interface Watched {
  readonly atTick: number;
  onPassed: () => void;
  previous: Watched | undefined;
  next: Watched | undefined;
  slot: number;
}

const slots = 512;
const nothing = (): void => {};

/**
 * Many deadlines on one timer (a hashed timer wheel: Varghese and Lauck, 1987). Setting and clearing one costs no system timer and leaves nothing
 * behind, which matters for calls that nearly always end in time. It rings up to `tickMs` late, never early.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #heads: (Watched | undefined)[] = Array.from({ length: slots });
  #count = 0;
  #tick: number;
  #running = false;

  constructor(clock: Clock, tickMs = 10) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#tick = Math.floor(clock.now() / tickMs);
  }

  /** Calls back once when the clock has reached `atMs`; the result stops it. */
  watch(atMs: number, onPassed: () => void): () => void {
    if (!this.#running) this.#start();
    const atTick = Math.max(this.#tick + 1, Math.ceil(atMs / this.#tickMs));
    const slot = atTick % slots;
    const next = this.#heads[slot];
    const watched: Watched = { atTick, onPassed, previous: undefined, next, slot };
    if (next !== undefined) next.previous = watched;
    this.#heads[slot] = watched;
    this.#count += 1;
    return () => this.#remove(watched);
  }

  #remove(watched: Watched): void {
    if (watched.slot === -1) return;
    if (watched.previous === undefined) this.#heads[watched.slot] = watched.next;
    else watched.previous.next = watched.next;
    if (watched.next !== undefined) watched.next.previous = watched.previous;
    watched.slot = -1;
    // One that is dead but old would keep those that were behind it alive until the whole heap is looked at.
    watched.previous = undefined;
    watched.next = undefined;
    watched.onPassed = nothing;
    this.#count -= 1;
  }

  #start(): void {
    this.#running = true;
    this.#tick = Math.floor(this.#clock.now() / this.#tickMs);
    this.#turnAtNextTick();
  }

  /** At its very start: a timer that ran from tick to tick out of step would make each deadline up to two ticks late. */
  #turnAtNextTick(): void {
    const now = this.#clock.now();
    const nextMs = (Math.floor(now / this.#tickMs) + 1) * this.#tickMs;
    this.#clock.after(nextMs - now, () => this.#turn());
  }

  #turn(): void {
    const now = Math.floor(this.#clock.now() / this.#tickMs);
    // After a long pause every slot is looked at once, not once for each tick that was missed.
    const first = Math.max(this.#tick + 1, now - slots + 1);
    // Before anything rings: what is set meanwhile belongs to a later tick.
    this.#tick = Math.max(this.#tick, now);
    for (let tick = first; tick <= now; tick += 1) this.#ring(tick % slots, now);
    this.#running = this.#count > 0;
    if (this.#running) this.#turnAtNextTick();
  }

  #ring(slot: number, now: number): void {
    let watched = this.#heads[slot];
    while (watched !== undefined) {
      const { next } = watched;
      // One that has rung may have stopped the next.
      if (watched.slot !== -1 && watched.atTick <= now) {
        const { onPassed } = watched;
        this.#remove(watched);
        onPassed();
      }
      watched = next;
    }
  }
}
