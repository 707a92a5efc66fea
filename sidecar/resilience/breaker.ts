import type { Outcome } from './outcome.ts';
import { SlidingWindow } from './sliding-window.ts';

/** When a breaker opens, and for how long. */
export interface BreakerSettings {
  /** Share of failed calls in the window, above 0 to 1, at which it opens. */
  readonly failureRate: number;
  /** The same of slow calls; 1 and more: they open nothing. */
  readonly slowRate: number;
  /** A call that took longer is slow. */
  readonly slowCallMs: number;
  /** With fewer calls in the window it stays closed. */
  readonly minCalls: number;
  readonly windowMs: number;
  /** How long it refuses everything before it lets probes through. */
  readonly openMs: number;
  /** Probes in half-open; all of them have to succeed. */
  readonly halfOpenCalls: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** `admit` refuses. */
export const refused = -1;

/**
 * A circuit breaker: closed → open when too many calls in the window failed or were slow; open → half-open after `openMs`, when so many probes are let
 * through; half-open → closed when all of them succeeded, → open when one did not. (Nygard, Release It!; states and window as in resilience4j.)
 *
 * Every state has a number. A call is settled with the number under which it was admitted, and its result is dropped when that state is over: a call
 * from before the failure says nothing of the recovery. Half-open may have several rounds of probes, each with a number; the results of all of them count,
 * or a target whose calls take longer than `openMs` would never be found well again.
 */
export class Breaker {
  readonly #onChange: (state: BreakerState) => void;
  #settings: BreakerSettings;
  #state: BreakerState = 'closed';
  #epoch: number;
  #window: SlidingWindow;
  /** When the state began. */
  #sinceMs: number;
  /** The number of the first round of probes. */
  #firstRound = 0;
  /** Of this round, probes that were let through and not given back. */
  #probes = 0;
  /** Of all rounds. */
  #succeeded = 0;

  /** `epoch` is the number of its first state: above those of a breaker before it, whose calls may still come back. */
  constructor(
    settings: BreakerSettings,
    nowMs: number,
    onChange: (state: BreakerState) => void = () => {},
    epoch = 0,
  ) {
    this.#epoch = epoch;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#sinceMs = nowMs;
    this.#window = new SlidingWindow(settings.windowMs, nowMs);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The number of the state. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The number of the state that the call is admitted under, or `refused`. */
  admit(nowMs: number): number {
    if (this.#state === 'closed') return this.#epoch;
    const { openMs, halfOpenCalls } = this.#settings;
    const isOver = nowMs - this.#sinceMs >= openMs;
    // Probes that nobody settled must not keep it half-open for ever: after as long again others may go beside them.
    if (isOver && this.#state === 'half-open') this.#nextRound(nowMs);
    else if (isOver) this.#enter('half-open', nowMs);
    if (this.#state === 'open' || this.#probes >= halfOpenCalls) return refused;
    this.#probes += 1;
    return this.#epoch;
  }

  /** While it is open: how long no call has a chance, in ms; 0 when the next one may be a probe, or it is not open. */
  opensInMs(nowMs: number): number {
    if (this.#state !== 'open') return 0;
    return Math.max(0, this.#sinceMs + this.#settings.openMs - nowMs);
  }

  /** When another try may be let through, above 0. */
  retryAfterMs(nowMs: number): number {
    return Math.max(1, this.#sinceMs + this.#settings.openMs - nowMs);
  }

  /** What became of a call that was admitted under `epoch`. */
  settle(epoch: number, outcome: Outcome, tookMs: number, nowMs: number): void {
    const says = outcome !== 'throttled' && outcome !== 'dropped';
    const slow = outcome !== 'waited' && tookMs > this.#settings.slowCallMs;
    if (this.#state === 'half-open') {
      if (epoch < this.#firstRound) return;
      if (says) this.#settleProbe(outcome === 'failure', slow, nowMs);
      else if (epoch === this.#epoch) this.#probes -= 1;
    } else if (says && epoch === this.#epoch) {
      this.#count(outcome === 'failure', slow, nowMs);
    }
  }

  /** New settings from now on. The state stays; a window of another length begins empty. */
  configure(settings: BreakerSettings, nowMs: number): void {
    if (settings.windowMs !== this.#settings.windowMs) {
      this.#window = new SlidingWindow(settings.windowMs, nowMs);
    }
    this.#settings = settings;
  }

  #count(failed: boolean, slow: boolean, nowMs: number): void {
    const window = this.#window;
    window.add(nowMs, failed, slow);
    if (!failed && !slow) return;
    const { minCalls, failureRate, slowRate } = this.#settings;
    const { calls, failures } = window;
    if (calls < minCalls) return;
    const tooSlow = slowRate < 1 && window.slow >= slowRate * calls;
    if (failures >= failureRate * calls || tooSlow) this.#enter('open', nowMs);
  }

  #settleProbe(failed: boolean, slow: boolean, nowMs: number): void {
    if (failed || (slow && this.#settings.slowRate < 1)) return this.#enter('open', nowMs);
    this.#succeeded += 1;
    if (this.#succeeded >= this.#settings.halfOpenCalls) this.#enter('closed', nowMs);
  }

  #nextRound(nowMs: number): void {
    this.#epoch += 1;
    this.#sinceMs = nowMs;
    this.#probes = 0;
  }

  #enter(state: BreakerState, nowMs: number): void {
    const changed = state !== this.#state;
    this.#state = state;
    this.#epoch += 1;
    this.#firstRound = this.#epoch;
    this.#sinceMs = nowMs;
    this.#probes = 0;
    this.#succeeded = 0;
    if (state === 'closed') this.#window = new SlidingWindow(this.#settings.windowMs, nowMs);
    if (changed) this.#onChange(state);
  }
}
