/** A token bucket: `burst` calls at once, `perSecond` in the long run. */
export interface RateSettings {
  readonly perSecond: number;
  /** At least 1. */
  readonly burst: number;
}

/** What adding up fractions may lack. */
const rounding = 1e-9;

/** Lets calls through as tokens come. One for each target and pod. */
export class RateLimit {
  #settings: RateSettings;
  #tokens: number;
  #atMs: number;

  constructor(settings: RateSettings, nowMs: number) {
    this.#settings = settings;
    this.#tokens = settings.burst;
    this.#atMs = nowMs;
  }

  /** 0: the call may go. Else it may not, and a token is there after so many ms. */
  admit(nowMs: number): number {
    this.#refill(nowMs);
    if (this.#tokens >= 1 - rounding) {
      this.#tokens = Math.max(0, this.#tokens - 1);
      return 0;
    }
    return Math.max(1, Math.ceil(((1 - this.#tokens) / this.#settings.perSecond) * 1_000));
  }

  /** The call did not go after all. */
  giveBack(): void {
    this.#tokens = Math.min(this.#settings.burst, this.#tokens + 1);
  }

  /** New settings from now on; tokens that are there stay, up to the new burst. */
  configure(settings: RateSettings, nowMs: number): void {
    this.#refill(nowMs);
    this.#settings = settings;
    this.#tokens = Math.min(settings.burst, this.#tokens);
  }

  #refill(nowMs: number): void {
    const { perSecond, burst } = this.#settings;
    const earned = ((nowMs - this.#atMs) / 1_000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + earned);
    this.#atMs = nowMs;
  }
}
