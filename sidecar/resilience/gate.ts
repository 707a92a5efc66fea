import type { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { AdaptiveLimit, type AdaptiveSettings } from './adaptive-limit.ts';
import { Breaker, refused, type BreakerSettings, type BreakerState } from './breaker.ts';
import { Bulkhead, type BulkheadSettings } from './bulkhead.ts';
import { CostBudget, isOverBudget, type CostSettings, type Reservation } from './cost-budget.ts';
import type { Outcome } from './outcome.ts';
import { RateLimit, type RateSettings } from './rate-limit.ts';
import { breakerOpen, overCost, rateLimited } from './refusals.ts';

/** What stands in front of each try of a call to a target; what is absent lets everything through. */
export interface GateSettings {
  readonly breaker?: BreakerSettings | undefined;
  /** With `adaptive` the limit moves between its bounds, and `max` is where it starts from. */
  readonly concurrency?: (BulkheadSettings & { readonly adaptive?: AdaptiveSettings }) | undefined;
  readonly rate?: RateSettings | undefined;
  readonly cost?: CostSettings | undefined;
}

export interface GateParts {
  /** Name of the target, for errors. */
  readonly target: string;
  readonly clock: Clock;
  readonly onBreaker: (state: BreakerState) => void;
  readonly onCostWarning: (key: string) => void;
}

/** What a try will probably cost. */
export interface Cost {
  readonly key: string;
  readonly estimate: number;
  /** After so long without a word it is charged. */
  readonly ttlMs: number;
}

/** The right to make one try. Settled once; again changes nothing. */
export class Permit {
  readonly #gate: Gate;
  readonly #startedAtMs: number;
  readonly #epoch: number;
  readonly #reservation: Reservation | undefined;
  #open = true;

  constructor(
    gate: Gate,
    startedAtMs: number,
    epoch: number,
    reservation: Reservation | undefined,
  ) {
    this.#gate = gate;
    this.#startedAtMs = startedAtMs;
    this.#epoch = epoch;
    this.#reservation = reservation;
  }

  /** Tells what became of the try, and what it cost; without a word on that, its estimate. */
  settle(outcome: Outcome, actualCost?: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#gate.settle(outcome, this.#startedAtMs, this.#epoch);
    if (this.#reservation !== undefined) this.#gate.charge(this.#reservation, outcome, actualCost);
  }
}

const unlimited: BulkheadSettings = { max: Infinity, queue: 0, queueTimeoutMs: 1 };
/** Of calls that no breaker has admitted: one that comes later does not count them. */
const noEpoch = -2;

/**
 * Everything that may refuse a try, in this order: an open breaker, before anything is waited for or charged; the bulkhead; cost; rate; and last the breaker
 * once more, because a probe's place is taken only by who goes. Who is refused gives back what it had.
 */
export class Gate {
  readonly #parts: GateParts;
  #breaker: Breaker | undefined;
  /** Always there: calls in flight count against a limit that comes later. */
  readonly #bulkhead: Bulkhead;
  #adaptive: AdaptiveLimit | undefined;
  #rate: RateLimit | undefined;
  #cost: CostBudget | undefined;
  #settings: GateSettings = {};

  constructor(settings: GateSettings, parts: GateParts) {
    this.#parts = parts;
    this.#bulkhead = new Bulkhead(unlimited, parts);
    this.configure(settings);
  }

  get breakerState(): BreakerState | undefined {
    return this.#breaker?.state;
  }

  get inFlight(): number {
    return this.#bulkhead.inFlight;
  }

  get waiting(): number {
    return this.#bulkhead.waiting;
  }

  /** A permit, at once or when there is room. Throws or rejects with BREAKER_OPEN, CONCURRENCY_LIMIT, COST_BUDGET_EXCEEDED, RATE_LIMITED. */
  admit(call: Call, cost?: Cost): Permit | Promise<Permit> {
    const breaker = this.#breaker;
    if (breaker !== undefined && breaker.state === 'open') this.#refuseWhileOpen(breaker);
    const waiting = this.#bulkhead.admit(call);
    if (waiting !== undefined) return waiting.then(() => this.#goOn(cost));
    return this.#goOn(cost);
  }

  settle(outcome: Outcome, startedAtMs: number, epoch: number): void {
    const now = this.#parts.clock.now();
    const tookMs = now - startedAtMs;
    this.#breaker?.settle(epoch, outcome, tookMs, now);
    const bulkhead = this.#bulkhead;
    const changed = this.#adaptive?.settle(outcome, tookMs, bulkhead.inFlight) === true;
    bulkhead.settle();
    if (changed) this.#resize();
  }

  charge(reservation: Reservation, outcome: Outcome, actual: number | undefined): void {
    const now = this.#parts.clock.wallNow();
    if (outcome === 'dropped') this.#cost?.release(reservation, now);
    else this.#cost?.settle(reservation, actual ?? reservation.estimate, now);
  }

  /** New settings from now on. What still fits stays: an open breaker open, calls in flight counted, tokens and what was spent. */
  configure(settings: GateSettings): void {
    const { clock, onBreaker, onCostWarning } = this.#parts;
    const now = clock.now();
    const { breaker, concurrency, rate, cost } = settings;
    this.#settings = settings;
    if (breaker === undefined) this.#breaker = undefined;
    else if (this.#breaker === undefined) this.#breaker = new Breaker(breaker, now, onBreaker);
    else this.#breaker.configure(breaker, now);

    if (rate === undefined) this.#rate = undefined;
    else if (this.#rate === undefined) this.#rate = new RateLimit(rate, now);
    else this.#rate.configure(rate, now);

    if (cost === undefined) this.#cost = undefined;
    else if (this.#cost === undefined) this.#cost = new CostBudget(cost, onCostWarning);
    else this.#cost.configure(cost);

    const adaptive = concurrency?.adaptive;
    if (adaptive === undefined) this.#adaptive = undefined;
    else if (this.#adaptive === undefined) this.#adaptive = new AdaptiveLimit(adaptive);
    else this.#adaptive.configure(adaptive);

    this.#resize();
  }

  #resize(): void {
    const { concurrency } = this.#settings;
    const max = this.#adaptive?.limit ?? concurrency?.max ?? unlimited.max;
    this.#bulkhead.configure({ ...unlimited, ...concurrency, max });
  }

  /** Behind the bulkhead, whose place is given back when anything else refuses. */
  #goOn(cost: Cost | undefined): Permit {
    try {
      return this.#take(cost);
    } catch (refusal) {
      this.#bulkhead.settle();
      throw refusal;
    }
  }

  #take(cost: Cost | undefined): Permit {
    const { clock, target } = this.#parts;
    const reservation = this.#reserve(cost);
    const now = clock.now();
    const waitMs = this.#rate?.admit(now) ?? 0;
    if (waitMs > 0) throw this.#giveBack(reservation, rateLimited(target, waitMs));
    const epoch = this.#breaker?.admit(now) ?? noEpoch;
    if (epoch === refused) {
      this.#rate?.giveBack();
      const retryAfterMs = this.#breaker?.retryAfterMs(now) ?? 1;
      throw this.#giveBack(reservation, breakerOpen(target, retryAfterMs));
    }
    return new Permit(this, now, epoch, reservation);
  }

  #reserve(cost: Cost | undefined): Reservation | undefined {
    const budget = this.#cost;
    if (budget === undefined || cost === undefined) return undefined;
    const wallMs = this.#parts.clock.wallNow();
    const result = budget.reserve(cost.key, cost.estimate, cost.ttlMs, wallMs);
    if (isOverBudget(result)) throw overCost(this.#parts.target, cost.estimate, result);
    return result;
  }

  #giveBack(reservation: Reservation | undefined, refusal: HoldfastError): HoldfastError {
    if (reservation !== undefined) this.#cost?.release(reservation, this.#parts.clock.wallNow());
    return refusal;
  }

  #refuseWhileOpen(breaker: Breaker): void {
    const retryAfterMs = breaker.opensInMs(this.#parts.clock.now());
    if (retryAfterMs > 0) throw breakerOpen(this.#parts.target, retryAfterMs);
  }
}
