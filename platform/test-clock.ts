import type { Clock } from './clock.ts';

interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
}

/** A clock for tests: time stands still until `advance` moves it, alarm by alarm, in order. */
export class TestClock implements Clock {
  #nowMs = 0;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#nowMs;
  }

  /** That have not rung: what is left when all is over was forgotten. */
  get alarms(): number {
    return this.#alarms.size;
  }

  after(delayMs: number, ring: () => void): () => void {
    const alarm = { atMs: this.#nowMs + Math.max(0, delayMs), ring };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const stop = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        stop();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets `ms` pass. Promises that alarms settle are run before the next alarm rings. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settled();
      const next = this.#next();
      if (next === undefined || next.atMs > untilMs) break;
      this.#alarms.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.ring();
    }
    this.#nowMs = untilMs;
    await settled();
  }

  /** Of those at the same time, the one that was set first. */
  #next(): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (next === undefined || alarm.atMs < next.atMs) next = alarm;
    }
    return next;
  }
}

/** Lets everything run that needs no time. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
