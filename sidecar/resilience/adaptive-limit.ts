import type { Outcome } from './outcome.ts';

/** Between what the limit moves. */
export interface AdaptiveSettings {
  readonly min: number;
  readonly max: number;
}

/** How much slower than at rest calls may be before the limit goes down. */
const tolerance = 1.5;
/** Calls that one change of the limit is drawn from, at least. */
const minSamples = 10;
const decreaseOnFailure = 0.9;
/** The slowest that the limit falls for latency in one step. */
const leastGradient = 0.5;
/** How often the latency at rest is looked for anew, in samples windows. */
const probeEvery = 50;

/**
 * A limit on calls that finds its own size from their latency (the gradient of Netflix's concurrency-limits, after TCP Vegas): while calls take as long
 * as at rest it grows by the square root of itself, when they queue somewhere behind it shrinks.
 *
 * Latency at rest is the lowest that was seen. Under an overload that lasts a moving average of it would take the queue for the rest, and the limit would
 * drift up; so it is only forgotten after the limit was lowered to its half for a moment, when no queue is left to be measured.
 */
export class AdaptiveLimit {
  #settings: AdaptiveSettings;
  #limit: number;
  #restMs = Infinity;
  #windows = 0;
  /** The limit to go back to after a look at the latency at rest. */
  #before: number | undefined;
  #samples = 0;
  #sumMs = 0;
  #leastMs = Infinity;
  #failed = false;
  #busiest = 0;

  constructor(settings: AdaptiveSettings) {
    this.#settings = settings;
    this.#limit = Math.min(settings.max, Math.max(settings.min, 10));
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** A call has ended; `inFlight` counts it. Returns whether the limit may have changed. */
  settle(outcome: Outcome, tookMs: number, inFlight: number): boolean {
    if (outcome === 'dropped' || outcome === 'waited') return false;
    if (outcome === 'failure' || outcome === 'throttled') this.#failed = true;
    else {
      this.#sumMs += tookMs;
      this.#leastMs = Math.min(this.#leastMs, tookMs);
    }
    this.#samples += 1;
    this.#busiest = Math.max(this.#busiest, inFlight);
    if (this.#samples < Math.max(minSamples, this.#limit)) return false;
    this.#change();
    this.#samples = 0;
    this.#sumMs = 0;
    this.#leastMs = Infinity;
    this.#failed = false;
    this.#busiest = 0;
    return true;
  }

  configure(settings: AdaptiveSettings): void {
    this.#settings = settings;
    this.#set(this.#limit);
  }

  #change(): void {
    if (this.#failed) return this.#set(this.#limit * decreaseOnFailure);
    const averageMs = this.#sumMs / this.#samples;
    if (this.#before !== undefined) {
      this.#restMs = this.#leastMs;
      this.#set(this.#before);
      this.#before = undefined;
      return undefined;
    }
    this.#restMs = Math.min(this.#restMs, this.#leastMs);
    this.#windows += 1;
    if (this.#windows % probeEvery === 0) {
      this.#before = this.#limit;
      return this.#set(this.#limit / 2);
    }
    const gradient = Math.max(leastGradient, Math.min(1, (tolerance * this.#restMs) / averageMs));
    const next = this.#limit * gradient + Math.sqrt(this.#limit);
    // Latency says nothing of a limit that nobody reaches.
    if (next > this.#limit && this.#busiest < this.#limit / 2) return undefined;
    return this.#set(this.#limit + (next - this.#limit) / 4);
  }

  #set(limit: number): void {
    const { min, max } = this.#settings;
    this.#limit = Math.min(max, Math.max(min, limit));
  }
}
