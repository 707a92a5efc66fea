const slots = 10;

/** Counts of the last `windowMs`, in ten slots: what is older than a tenth more is forgotten. Nothing is kept for a call. */
export class SlidingWindow {
  readonly #slotMs: number;
  readonly #calls = new Uint32Array(slots);
  readonly #failures = new Uint32Array(slots);
  readonly #slow = new Uint32Array(slots);
  #slot: number;
  calls = 0;
  failures = 0;
  slow = 0;

  constructor(windowMs: number, nowMs: number) {
    this.#slotMs = windowMs / slots;
    this.#slot = Math.floor(nowMs / this.#slotMs);
  }

  add(nowMs: number, failed: boolean, slow: boolean): void {
    this.advance(nowMs);
    const at = this.#slot % slots;
    this.#calls[at] = (this.#calls[at] as number) + 1;
    this.calls += 1;
    if (failed) {
      this.#failures[at] = (this.#failures[at] as number) + 1;
      this.failures += 1;
    }
    if (slow) {
      this.#slow[at] = (this.#slow[at] as number) + 1;
      this.slow += 1;
    }
  }

  /** Forgets what is too old by now. */
  advance(nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    const passed = Math.min(slots, slot - this.#slot);
    for (let step = 1; step <= passed; step += 1) this.#clear((this.#slot + step) % slots);
    if (slot > this.#slot) this.#slot = slot;
  }

  #clear(at: number): void {
    this.calls -= this.#calls[at] as number;
    this.failures -= this.#failures[at] as number;
    this.slow -= this.#slow[at] as number;
    this.#calls[at] = 0;
    this.#failures[at] = 0;
    this.#slow[at] = 0;
  }
}
