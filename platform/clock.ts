import { setTimeout as sleepFor } from 'node:timers/promises';

/** Time as an argument, so that tests decide how it passes. Shared by everything; holds no state of its callers. */
export interface Clock {
  /** Monotonic, in ms with fractions; for durations and deadlines. */
  now(): number;
  /** Wall clock, ms since 1970; for logs and timestamps only. */
  wallNow(): number;
  /** Calls back once after `delayMs`; the result stops it. Keeps no process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Resolves after `delayMs`, rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
  sleep: async (delayMs, signal) => {
    if (signal === undefined) return sleepFor(delayMs);
    try {
      return await sleepFor(delayMs, undefined, { signal });
    } catch {
      throw signal.reason as Error; // Node's own error only has it as its cause
    }
  },
};
