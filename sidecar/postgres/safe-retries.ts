import type { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';

interface RetryParts {
  readonly clock: Clock;
  readonly random: () => number;
}

/** As many as may be under way when all connections of a pool are cut at once. */
const mostTokens = 256;
const tokensPerCall = 0.1;
const tokensPerSecond = 10;
const mostTries = 3;
const firstPauseMs = 10;

/**
 * Whether something that is safe to repeat is repeated: at most twice a call, after a pause with full jitter, and within a budget of a tenth of all
 * calls (or ten a second, if that is more), so that a database in trouble is not given twice the work.
 */
export class SafeRetries {
  readonly #parts: RetryParts;
  #tokens = mostTokens;
  #refilledAtMs: number;

  constructor(parts: RetryParts) {
    this.#parts = parts;
    this.#refilledAtMs = parts.clock.now();
  }

  /** A call has begun. */
  deposit(): void {
    this.#tokens = Math.min(mostTokens, this.#tokens + tokensPerCall);
  }

  /** Resolves after the pause with whether to try again, having tried `tries` times. */
  async again(tries: number, call: Call): Promise<boolean> {
    const { clock, random } = this.#parts;
    if (tries >= mostTries || call.ended !== undefined || !this.#take()) return false;
    const pauseMs = random() * firstPauseMs * 4 ** tries;
    if (clock.now() + pauseMs >= call.deadlineAtMs) return false;
    await clock.sleep(pauseMs);
    return call.ended === undefined;
  }

  #take(): boolean {
    const now = this.#parts.clock.now();
    const earned = ((now - this.#refilledAtMs) / 1_000) * tokensPerSecond;
    this.#refilledAtMs = now;
    this.#tokens = Math.min(mostTokens, this.#tokens + earned);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
