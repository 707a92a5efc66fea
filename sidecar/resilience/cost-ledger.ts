import type { Call } from '../../platform/call.ts';

/** Amounts are whole millionths of the policy's unit: sums of them are exact. */
export type Micros = number;

/** What a budget is, by policy. */
export interface CostSettings {
  readonly limit: Micros;
  /** Windows begin at multiples of it since 1970. */
  readonly windowMs: number;
  /** Share of the limit, 0 to 1, from which on spending is reported. */
  readonly warnAt: number;
}

/** What is put aside for one call. */
export interface ReservationRequest {
  /** The same id again is the same reservation. */
  readonly id: string;
  readonly key: string;
  readonly amount: Micros;
  /** Then it is charged in full. */
  readonly ttlMs: number;
}

/** One key in the window of now. */
export interface CostAccount {
  /** Of calls that have ended, at most their reservations. */
  readonly settled: Micros;
  /** For calls that have not. */
  readonly reserved: Micros;
  /** What calls did cost above their reservations. Nobody could refuse it any more, but it is taken from what is left. */
  readonly overshoot: Micros;
  /** Until the next window begins. */
  readonly windowEndsInMs: number;
}

/** What was put aside. */
export interface Reserved {
  readonly id: string;
  readonly amount: Micros;
  readonly expiresInMs: number;
  readonly account: CostAccount;
}

/**
 * The books of one target's cost budget: of each key and window, settled + reserved is never above the limit. A pod's are in memory and answer at once, the
 * fleet's are in PostgreSQL and answer with promises. Every request may be repeated.
 */
export interface CostLedger {
  /** Of each key and window, just now. */
  readonly limit: Micros;
  /** Throws or rejects with COST_BUDGET_EXCEEDED when it does not fit. */
  reserve(request: ReservationRequest, call: Call): Reserved | Promise<Reserved>;
  /** Charges what was spent (`undefined`: all that was put aside) and returns the overshoot. Throws or rejects with UNKNOWN_RESERVATION. */
  settle(id: string, actual: Micros | undefined, call: Call): Micros | Promise<Micros>;
  /** Nothing was spent. Throws or rejects with UNKNOWN_RESERVATION. */
  release(id: string, call: Call): void | Promise<void>;
  account(key: string, call: Call): CostAccount | Promise<CostAccount>;
  /** A new limit from now on; what was spent stays spent. */
  configure(settings: CostSettings): void;
}

/** What the books of one target tell to metrics and log. */
export interface CostEvents {
  /** What calls did cost, as far as it was put aside. */
  charged(amount: Micros): void;
  /** What they did cost beyond that. */
  overshot(amount: Micros): void;
  /** Nobody settled it: charged in full, beside what `charged` tells. */
  expired(amount: Micros): void;
  /** The share `warnAt` of the limit is reached: once for each key and window. */
  warned(): void;
}

/** Of a key's limit, what is taken. */
export const spentOf = ({
  settled,
  reserved,
  overshoot,
}: Pick<CostAccount, 'settled' | 'reserved' | 'overshoot'>): Micros =>
  settled + reserved + overshoot;

/** Overshoots add up without an end; beyond this their sum would not be exact, and nothing fits any more anyway. */
export const mostOvershoot: Micros = 4_000_000_000_000_000;

export const microsOf = (amount: number): Micros => Math.round(amount * 1_000_000);
export const unitsOf = (micros: Micros): number => micros / 1_000_000;
