import type { Clock } from '../platform/clock.ts';

interface Draining {
  readonly clock: Clock;
  /** Resolves when the calls under way have ended; new ones are refused. */
  readonly drained: Promise<void>;
  /** Whether a transaction is open, or a statement runs. */
  readonly isBusy: () => boolean;
  /** Ends sessions and connections that have their last answer. */
  readonly end: () => Promise<void>;
  /** Ends all others. */
  readonly cut: () => void;
  /** Closes what is behind, when what was cut has been cancelled there. */
  readonly close: () => Promise<void>;
}

/** From the last answer to the end of its connection. */
const flushMs = 1_000;

/** Part of the grace period that is kept for closing. */
const closingMs = (graceMs: number): number => Math.min(1_000, graceMs / 4);

const lookAgainMs = 20;

/**
 * Ends a sidecar within `graceMs`.
 *
 * draining (calls and transactions come to their end) → ending (last answers travel) → cut (who is left is ended; what they ran is cancelled on the
 * servers) → closed. Draining leaves the rest a second, or a quarter of a short grace period.
 */
export async function drain(parts: Draining, graceMs: number): Promise<void> {
  const { clock, isBusy } = parts;
  const endAtMs = clock.now() + graceMs;
  await within(clock, graceMs - closingMs(graceMs), async (signal) => {
    await parts.drained;
    while (isBusy()) await clock.sleep(lookAgainMs, signal);
    await within(clock, flushMs, () => parts.end());
  });
  parts.cut();
  await within(clock, Math.max(0, endAtMs - clock.now()), () => parts.close());
}

/** Waits for `work`, at most `limitMs`; the signal tells it that nobody waits any more. */
async function within(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const patience = new AbortController();
  let stop = (): void => {};
  const timeIsUp = new Promise<void>((resolve) => {
    stop = clock.after(limitMs, () => {
      patience.abort(new Error('the grace period is over'));
      resolve();
    });
  });
  const done = work(patience.signal).catch((error: unknown) => {
    if (!patience.signal.aborted) throw error;
  });
  await Promise.race([done, timeIsUp]);
  stop();
}
