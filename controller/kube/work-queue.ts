import type { Clock } from '../../platform/clock.ts';

export interface WorkQueueParts {
  /** Deals with all that there is to do for a key; what it throws makes it run again later. */
  readonly work: (key: string, signal: AbortSignal) => Promise<void>;
  /** Keys that are dealt with at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onFault: (key: string, fault: unknown, retryMs: number) => void;
  readonly firstBackoffMs?: number;
  readonly mostBackoffMs?: number;
}

/** Keys to be dealt with, each once however often it was added, and never twice at a time. */
export interface WorkQueue {
  /** It is run after this, also when it runs just now. Nothing happens after `stop`. */
  add(key: string): void;
  /** As `add`, not before `delayMs` has passed; of several the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Keys that wait for their turn: neither running nor delayed. */
  readonly waiting: number;
  /** Resolves when nothing runs any more; aborts the signal that the work has. */
  stop(): Promise<void>;
}

/**
 * idle → waiting (in line) → running → idle, or waiting again when it was added meanwhile; a key whose work failed is added again after a pause that
 * doubles with each failure in a row.
 */
export function workQueue(parts: WorkQueueParts): WorkQueue {
  const { clock, work, concurrency, random, onFault } = parts;
  const { firstBackoffMs = 100, mostBackoffMs = 60_000 } = parts;
  const stopping = new AbortController();
  const line = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const delayed = new Map<string, { readonly atMs: number; readonly stop: () => void }>();

  const add = (key: string): void => {
    if (stopping.signal.aborted) return;
    line.add(key);
    startNext();
  };

  const addAfter = (key: string, delayMs: number): void => {
    if (stopping.signal.aborted) return;
    const atMs = clock.now() + delayMs;
    const before = delayed.get(key);
    if (before !== undefined) {
      if (before.atMs <= atMs) return;
      before.stop();
    }
    const stop = clock.after(delayMs, () => {
      delayed.delete(key);
      add(key);
    });
    delayed.set(key, { atMs, stop });
  };

  const startNext = (): void => {
    for (const key of line) {
      if (running.size >= concurrency || stopping.signal.aborted) return;
      // It comes when it has ended.
      if (running.has(key)) continue;
      line.delete(key);
      running.set(key, run(key));
    }
  };

  const run = async (key: string): Promise<void> => {
    try {
      // Never at once, so that it is noted before it ends.
      await Promise.resolve();
      await work(key, stopping.signal);
      failures.delete(key);
    } catch (fault) {
      if (!stopping.signal.aborted) {
        const count = (failures.get(key) ?? 0) + 1;
        failures.set(key, count);
        const full = Math.min(mostBackoffMs, firstBackoffMs * 2 ** (count - 1));
        const retryMs = full * (0.5 + 0.5 * random());
        onFault(key, fault, retryMs);
        addAfter(key, retryMs);
      }
    } finally {
      running.delete(key);
      startNext();
    }
  };

  return {
    add,
    addAfter,
    get waiting() {
      return line.size;
    },
    stop: async () => {
      stopping.abort(new Error('the queue is stopped'));
      for (const { stop } of delayed.values()) stop();
      delayed.clear();
      line.clear();
      await Promise.all(running.values());
    },
  };
}
