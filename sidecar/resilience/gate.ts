import { deadlineExceeded, type Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { AdaptiveLimit, type AdaptiveSettings } from './adaptive-limit.ts';
import { Breaker, refused, type BreakerSettings, type BreakerState } from './breaker.ts';
import { Bulkhead, type BulkheadSettings } from './bulkhead.ts';
import type { CostLedger, Micros } from './cost-ledger.ts';
import type { Outcome } from './outcome.ts';
import { Charge, Permit } from './permit.ts';
import { RateLimit, type RateSettings } from './rate-limit.ts';
import { breakerOpen, rateLimited } from './refusals.ts';

/** What stands in front of each try of a call to a target; what is absent lets everything through. */
export interface GateSettings {
  readonly breaker?: BreakerSettings | undefined;
  /** With `adaptive` the limit moves between its bounds, and never above `max`. */
  readonly concurrency?: (BulkheadSettings & { readonly adaptive?: AdaptiveSettings }) | undefined;
  readonly rate?: RateSettings | undefined;
  readonly cost?: TryCost | undefined;
}

/** What is put aside for each try. */
export interface TryCost {
  /** When the caller says nothing. */
  readonly estimate: Micros;
  /** When it is charged without a word of the caller. */
  readonly reservationMs: number;
}

export interface GateParts {
  /** Name of the target, for errors. */
  readonly target: string;
  readonly clock: Clock;
  readonly onBreaker: (state: BreakerState) => void;
  /** Of reservations, never the same twice. */
  readonly newId: () => string;
}

/** What a caller says of the cost of a try. */
export interface Cost {
  /** Whose budget it is. */
  readonly key: string;
  /** At most; absent: the policy's estimate. */
  readonly amount?: Micros | undefined;
  /** When it is charged without a word of the caller; absent: as the policy says. */
  readonly ttlMs?: number | undefined;
}

const unlimited: BulkheadSettings = { max: Infinity, queue: 0, queueTimeoutMs: 1 };
/** Of calls that no breaker has admitted: one that comes later does not count them. */
const noEpoch = -2;
const noCost: Cost = { key: '' };

/**
 * Everything that may refuse a try, in this order: an open breaker, before anything is waited for or charged; the bulkhead; cost; rate; and last the breaker
 * once more, because a probe's place is taken only by who goes. Who is refused gives back what it had.
 */
export class Gate {
  readonly #parts: GateParts;
  #breaker: Breaker | undefined;
  #nextEpoch = 0;
  /** Always there: calls in flight count against a limit that comes later. */
  readonly #bulkhead: Bulkhead;
  #adaptive: AdaptiveLimit | undefined;
  #rate: RateLimit | undefined;
  #ledger: CostLedger | undefined;
  #settings: GateSettings = {};

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#bulkhead = new Bulkhead(unlimited, parts);
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

  /** Most tries at once, just now; Infinity for no limit. */
  get limit(): number {
    return this.#bulkhead.limit;
  }

  /**
   * A permit, at once or when there is room, at `latestAtMs` at the latest. Throws or rejects with BREAKER_OPEN, CONCURRENCY_LIMIT, COST_BUDGET_EXCEEDED,
   * RATE_LIMITED, or with what ended the call.
   */
  admit(call: Call, nowMs: number, latestAtMs: number, cost?: Cost): Permit | Promise<Permit> {
    const breaker = this.#breaker;
    if (breaker !== undefined && breaker.state === 'open') this.#refuseWhileOpen(breaker, nowMs);
    const waiting = this.#bulkhead.admit(call, latestAtMs);
    if (waiting !== undefined) return this.#admitLater(waiting, call, latestAtMs, cost);
    if (this.#ledger !== undefined) return this.#reserve(this.#ledger, call, latestAtMs, cost);
    return this.#take(nowMs, undefined);
  }

  /** For permits: what became of a try. */
  settle(outcome: Outcome, startedAtMs: number, epoch: number): void {
    const now = this.#parts.clock.now();
    const tookMs = now - startedAtMs;
    this.#breaker?.settle(epoch, outcome, tookMs, now);
    const bulkhead = this.#bulkhead;
    const changed = this.#adaptive?.settle(outcome, tookMs, bulkhead.inFlight) === true;
    bulkhead.settle();
    if (changed) this.#resize();
  }

  /** New settings from now on. What still fits stays: an open breaker open, calls in flight counted, tokens. The ledger keeps what was spent. */
  configure(settings: GateSettings, ledger: CostLedger | undefined): void {
    const { clock, onBreaker } = this.#parts;
    const now = clock.now();
    const { breaker, concurrency, rate } = settings;
    this.#settings = settings;
    this.#ledger = ledger;
    if (breaker === undefined) this.#dropBreaker();
    else if (this.#breaker !== undefined) this.#breaker.configure(breaker, now);
    else this.#breaker = new Breaker(breaker, now, onBreaker, this.#nextEpoch);

    if (rate === undefined) this.#rate = undefined;
    else if (this.#rate === undefined) this.#rate = new RateLimit(rate, now);
    else this.#rate.configure(rate, now);

    const adaptive = concurrency?.adaptive;
    if (adaptive === undefined) this.#adaptive = undefined;
    else if (this.#adaptive === undefined) this.#adaptive = new AdaptiveLimit(adaptive);
    else this.#adaptive.configure(adaptive);

    this.#resize();
  }

  #dropBreaker(): void {
    const breaker = this.#breaker;
    if (breaker === undefined) return;
    this.#nextEpoch = breaker.epoch + 1;
    this.#breaker = undefined;
    if (breaker.state !== 'closed') this.#parts.onBreaker('closed');
  }

  #resize(): void {
    const { concurrency } = this.#settings;
    const ceiling = concurrency?.max ?? unlimited.max;
    const max = Math.min(ceiling, this.#adaptive?.limit ?? ceiling);
    this.#bulkhead.configure({ ...unlimited, ...concurrency, max });
  }

  async #admitLater(
    waiting: Promise<void>,
    call: Call,
    latestAtMs: number,
    cost: Cost | undefined,
  ): Promise<Permit> {
    await waiting;
    // The breaker may have opened meanwhile: what comes now is no place to charge anything either.
    const { clock } = this.#parts;
    const breaker = this.#breaker;
    try {
      // Whoever let it in may have ended it in the same turn.
      call.throwIfEnded();
      if (breaker?.state === 'open') this.#refuseWhileOpen(breaker, clock.now());
    } catch (refusal) {
      this.#bulkhead.settle();
      throw refusal;
    }
    if (this.#ledger !== undefined) return this.#reserve(this.#ledger, call, latestAtMs, cost);
    return this.#take(clock.now(), undefined);
  }

  #reserve(
    ledger: CostLedger,
    call: Call,
    latestAtMs: number,
    cost: Cost = noCost,
  ): Permit | Promise<Permit> {
    const { estimate, reservationMs } = this.#settings.cost ?? { estimate: 0, reservationMs: 0 };
    const { newId, clock } = this.#parts;
    const { key, amount = estimate, ttlMs = reservationMs } = cost;
    const id = newId();
    const limited = latestAtMs < call.deadlineAtMs ? call.within(latestAtMs) : call;
    const givesUp = (refusal: HoldfastError): never => {
      this.#bulkhead.settle();
      throw refusal;
    };
    const goOn = (): Permit => {
      const charge = new Charge(ledger, id);
      try {
        const ended = call.ended ?? limited.ended;
        if (ended !== undefined) givesUp(ended);
        return this.#take(clock.now(), charge);
      } catch (refusal) {
        charge.release();
        throw refusal;
      }
    };
    let reserving;
    try {
      reserving = ledger.reserve({ id, key, amount, ttlMs }, limited);
    } catch (refusal) {
      call.part(limited);
      return givesUp(refusal as HoldfastError);
    }
    if (!(reserving instanceof Promise)) {
      call.part(limited);
      return goOn();
    }
    const release = limited === call ? () => {} : this.#endInTime(call, limited);
    return reserving.finally(release).then(goOn, (refusal: HoldfastError) => {
      // Its answer may have been lost: then it was put aside all the same.
      if (refusal.reason !== 'COST_BUDGET_EXCEEDED') new Charge(ledger, id).release();
      return givesUp(refusal);
    });
  }

  /** Ends a call of less time at its deadline, and parts it from the other one when it is released. */
  #endInTime(call: Call, limited: Call): () => void {
    const { clock } = this.#parts;
    const stop = clock.after(limited.deadlineAtMs - clock.now(), () =>
      limited.end(deadlineExceeded()),
    );
    return () => {
      call.part(limited);
      stop();
    };
  }

  /** Behind the bulkhead, whose place is given back when anything refuses. */
  #take(now: number, charge: Charge | undefined): Permit {
    const { target } = this.#parts;
    const waitMs = this.#rate === undefined ? 0 : this.#rate.admit(now);
    if (waitMs > 0) {
      this.#bulkhead.settle();
      throw rateLimited(target, waitMs);
    }
    const epoch = this.#breaker === undefined ? noEpoch : this.#breaker.admit(now);
    if (epoch === refused) {
      this.#rate?.giveBack();
      this.#bulkhead.settle();
      throw breakerOpen(target, this.#breaker?.retryAfterMs(now) ?? 1);
    }
    return new Permit(this, now, epoch, charge);
  }

  #refuseWhileOpen(breaker: Breaker, nowMs: number): void {
    const retryAfterMs = breaker.opensInMs(nowMs);
    if (retryAfterMs > 0) throw breakerOpen(this.#parts.target, retryAfterMs);
  }
}
