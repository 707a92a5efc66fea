import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';

interface ErrandsParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
}

const repeatMs = 200;

/** What has to be done on the server although nobody waits for it. */
export class Errands {
  readonly #parts: ErrandsParts;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(parts: ErrandsParts) {
    this.#parts = parts;
  }

  /** Runs it, and again while it fails, until `forMs` have passed: what is left on the server then ends by itself. */
  run(errand: () => Promise<unknown>, forMs: number): void {
    const running: Promise<unknown> = this.#untilDone(errand, forMs).finally(() =>
      this.#running.delete(running),
    );
    this.#running.add(running);
  }

  /** Ends all repeats; resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running);
  }

  async #untilDone(errand: () => Promise<unknown>, forMs: number): Promise<void> {
    const { clock, random } = this.#parts;
    const untilMs = clock.now() + forMs;
    for (;;) {
      try {
        await errand();
        return;
      } catch (thrown) {
        const delayMs = (HoldfastError.from(thrown).retryAfterMs ?? repeatMs) * (0.5 + random());
        if (this.#closed || clock.now() + delayMs > untilMs) return;
        await clock.sleep(delayMs);
        if (this.#closed) return;
      }
    }
  }
}
