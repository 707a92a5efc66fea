const shortestMs = 200;
const longestMs = 10_000;

/** Waits before further tries, drawn between nothing and a ceiling that doubles from 200 ms to 10 s: many who lost the same server do not come back at once. */
export class Backoff {
  readonly #random: () => number;
  #ceilingMs = shortestMs;

  /** `random`: chance in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Before the next try, in ms; each call is one. */
  nextMs(): number {
    const delayMs = this.#random() * this.#ceilingMs;
    this.#ceilingMs = Math.min(longestMs, this.#ceilingMs * 2);
    return delayMs;
  }

  /** What was tried works. */
  reset(): void {
    this.#ceilingMs = shortestMs;
  }
}
