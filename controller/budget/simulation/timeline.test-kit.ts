interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** Virtual time: what is put on it happens in order, and everything random comes from one seed. */
export class Timeline {
  nowMs = 0;
  #order = 0;
  #state: number;
  readonly #heap: Event[] = [];

  constructor(seed: number) {
    this.#state = seed;
  }

  /** In [0, 1): mulberry32. */
  random = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  after(delayMs: number, happen: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: (this.#order += 1), happen };
    let at = this.#heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || earlier(above, event)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = event;
  }

  every(periodMs: number, happen: () => void): void {
    this.after(periodMs, () => {
      happen();
      this.every(periodMs, happen);
    });
  }

  runUntil(untilMs: number): void {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.atMs > untilMs) break;
      this.#takeFirst();
      this.nowMs = next.atMs;
      next.happen();
    }
    this.nowMs = untilMs;
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = this.#heap[child];
      const right = this.#heap[child + 1];
      if (below !== undefined && right !== undefined && earlier(right, below)) {
        child += 1;
        below = right;
      }
      if (below === undefined || earlier(last, below)) break;
      this.#heap[at] = below;
      at = child;
    }
    this.#heap[at] = last;
  }
}

const earlier = (a: Event, b: Event): boolean =>
  a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
