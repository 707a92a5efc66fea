/** How many retries there may be beside first tries. */
export interface RetryBudgetSettings {
  /** Retries for each call, 0 to 1. */
  readonly ratio: number;
  /** So many a second are there even without calls; after a quiet time those of ten seconds at once. */
  readonly minPerSecond: number;
}

/** What is earned is kept for so long. */
const keptMs = 10_000;

/**
 * Bounds the retries of a target to a share of its calls, so that a dependency in trouble is not given a multiple of its load (Finagle's and linkerd's
 * retry budget: deposits and withdrawals, with a floor for little traffic). One for each target.
 */
export class RetryBudget {
  #settings: RetryBudgetSettings;
  /** Earned by calls. */
  #tokens = 0;
  /** Earned by time. */
  #floor: number;
  #atMs: number;

  constructor(settings: RetryBudgetSettings, nowMs: number) {
    this.#settings = settings;
    this.#floor = floorOf(settings);
    this.#atMs = nowMs;
  }

  /** The budget under new settings: what is there stays, as far as they allow it. */
  static next(
    budget: RetryBudget | undefined,
    settings: RetryBudgetSettings | undefined,
    nowMs: number,
  ): RetryBudget | undefined {
    if (settings === undefined) return undefined;
    if (budget === undefined) return new RetryBudget(settings, nowMs);
    budget.configure(settings, nowMs);
    return budget;
  }

  /** A call has begun. */
  deposit(nowMs: number): void {
    this.#decay(nowMs);
    this.#tokens += this.#settings.ratio;
  }

  /** Whether one more retry may be made; it is charged then. */
  withdraw(nowMs: number): boolean {
    this.#decay(nowMs);
    if (this.#floor >= 1) this.#floor -= 1;
    else if (this.#tokens >= 1) this.#tokens -= 1;
    else return false;
    return true;
  }

  configure(settings: RetryBudgetSettings, nowMs: number): void {
    this.#decay(nowMs);
    this.#settings = settings;
    this.#floor = Math.min(this.#floor, floorOf(settings));
  }

  /** What a busy time has earned is no licence for a storm an hour later. */
  #decay(nowMs: number): void {
    const passedMs = nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#tokens *= Math.max(0, 1 - passedMs / keptMs);
    this.#floor = Math.min(
      floorOf(this.#settings),
      this.#floor + (passedMs / 1_000) * this.#settings.minPerSecond,
    );
  }
}

/** Connections of a quiet pod may all break at once. */
const floorOf = ({ minPerSecond }: RetryBudgetSettings): number => (minPerSecond * keptMs) / 1_000;
