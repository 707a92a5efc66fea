import type { Clock } from './clock.ts';

const slots = 512;
const nothing = (): void => {};

/** One deadline that is being watched. What it holds is for `Deadlines`. */
export class Deadline {
  readonly atTick: number;
  slot: number;
  onPassed: () => void;
  previous: Deadline | undefined;
  next: Deadline | undefined;

  constructor(atTick: number, onPassed: () => void, next: Deadline | undefined) {
    this.atTick = atTick;
    this.slot = atTick % slots;
    this.onPassed = onPassed;
    this.previous = undefined;
    this.next = next;
  }
}

/**
 * Many deadlines on one timer (a hashed timer wheel: Varghese and Lauck, 1987). Setting and clearing one costs no system timer and leaves nothing
 * behind, which matters for calls that nearly always end in time. It rings up to `tickMs` late, never early.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #heads: (Deadline | undefined)[] = Array.from({ length: slots });
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
    const watched = this.set(atMs, onPassed);
    return () => this.clear(watched);
  }

  /** As `watch`, for those who keep the deadline and stop it with `clear`: it costs a closure less. */
  set(atMs: number, onPassed: () => void): Deadline {
    if (!this.#running) this.#start();
    const atTick = Math.max(this.#tick + 1, Math.ceil(atMs / this.#tickMs));
    const next = this.#heads[atTick % slots];
    const watched = new Deadline(atTick, onPassed, next);
    if (next !== undefined) next.previous = watched;
    this.#heads[watched.slot] = watched;
    this.#count += 1;
    return watched;
  }

  /** Stops one that `set` returned; does nothing when it has rung or was stopped. */
  clear(watched: Deadline): void {
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
    const due: Deadline[] = [];
    for (let each = this.#heads[slot]; each !== undefined; each = each.next) {
      if (each.atTick <= now) due.push(each);
    }
    for (const watched of due) {
      // One that has rung may have stopped others.
      if (watched.slot === -1) continue;
      const { onPassed } = watched;
      this.clear(watched);
      onPassed();
    }
  }
}
