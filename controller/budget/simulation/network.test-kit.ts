import type { Timeline } from './timeline.test-kit.ts';

/** Between sidecars and controllers: quick and in no certain order, and as bad as a fault makes it. */
export class Network {
  readonly #time: Timeline;
  readonly #cut = new Map<string, number>();
  #noisyUntilMs = 0;

  constructor(time: Timeline) {
    this.#time = time;
  }

  cut(pod: string, forMs: number): void {
    this.#cut.set(pod, Math.max(this.#cut.get(pod) ?? 0, this.#time.nowMs + forMs));
  }

  /** Messages are lost, delayed by up to the time that is left, and duplicated. */
  noise(forMs: number): void {
    this.#noisyUntilMs = this.#time.nowMs + forMs;
  }

  send(pod: string, arrive: () => void): void {
    const { nowMs } = this.#time;
    if (nowMs < (this.#cut.get(pod) ?? 0)) return;
    const noisyMs = this.#noisyUntilMs - nowMs;
    let copies = 1;
    if (noisyMs > 0 && this.#time.random() < 0.3) copies = 0;
    else if (noisyMs > 0 && this.#time.random() < 0.2) copies = 2;
    for (; copies > 0; copies -= 1) {
      const late = noisyMs > 0 && this.#time.random() < 0.3;
      this.#time.after(this.#time.between(1, late ? Math.min(6_000, noisyMs) : 25), arrive);
    }
  }
}
