import { Call, cancelled, type Scope } from '../../platform/call.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { CostLedger, Micros } from './cost-ledger.ts';
import { Gate, type Cost } from './gate.ts';
import type { Outcome } from './outcome.ts';
import type { Permit } from './permit.ts';
import { retryDelayMs } from './retry.ts';
import { RetryBudget } from './retry-budget.ts';
import type { TargetParts, TargetSettings } from './target-parts.ts';

const nobody: Scope = { onClose: () => () => {}, push: () => {} };

/**
 * A policy in shadow mode: it is asked about every try as if it were in force, and what it would have refused is counted. Nothing waits for it: a try
 * that it would have let wait runs at once, and stands in the rehearsed queue meanwhile. What it would have refused takes no place and moves nothing.
 */
export class Rehearsal {
  readonly #parts: TargetParts;
  readonly #gate: Gate;
  #settings: TargetSettings = {};
  #budget: RetryBudget | undefined;

  constructor(parts: TargetParts) {
    this.#parts = parts;
    this.#gate = new Gate({ ...parts, target: parts.name, onBreaker: () => {} });
  }

  configure(settings: TargetSettings, ledger: CostLedger | undefined): void {
    this.#settings = settings;
    this.#gate.configure(settings, ledger);
    this.#budget = RetryBudget.next(this.#budget, settings.retry?.budget, this.#parts.clock.now());
  }

  /** A try begins. */
  begin({ priority }: Call, nowMs: number, cost: Cost | undefined): Rehearsed {
    const { clock, onShadowRefused } = this.#parts;
    const call = new Call({ scope: nobody, deadlineAtMs: Infinity, priority });
    const timeout = this.#settings.timeout?.perTryMs ?? 0;
    const perTryMs = timeout === 0 ? Infinity : timeout;
    const isTooLate = (startedAtMs: number): boolean => {
      const late = clock.now() - startedAtMs > perTryMs;
      if (late) onShadowRefused('TARGET_TIMEOUT');
      return late;
    };
    const rehearsed = new Rehearsed(call, isTooLate);
    const refused = (thrown: unknown): void => {
      const { kind, reason } = HoldfastError.from(thrown);
      if (kind !== 'cancelled') onShadowRefused(reason);
      rehearsed.refused();
    };
    try {
      const admitted = this.#gate.admit(call, nowMs, Infinity, cost);
      if (admitted instanceof Promise) void admitted.then((it) => rehearsed.admitted(it), refused);
      else rehearsed.admitted(admitted);
    } catch (refusal) {
      refused(refusal);
    }
    return rehearsed;
  }

  /** A call has ended, in `failed` when it failed: would it have been in time, and tried again? */
  finish(
    startedAtMs: number,
    failed?: { readonly error: HoldfastError; readonly repeatable: boolean },
  ): void {
    const { clock, random, onShadowRefused, onShadowRetry } = this.#parts;
    const { timeout, retry } = this.#settings;
    const now = clock.now();
    this.#budget?.deposit(now);
    if (timeout !== undefined && now - startedAtMs > timeout.totalMs) {
      return onShadowRefused('TARGET_TIMEOUT');
    }
    if (failed === undefined || retry === undefined) return undefined;
    const pauseMs = retryDelayMs(retry, { ...failed, attempts: 1 }, random);
    if (pauseMs === undefined || this.#budget?.withdraw(now) === false) return undefined;
    return onShadowRetry();
  }
}

/** One try of a rehearsal. */
export class Rehearsed {
  readonly #call: Call;
  readonly #isTooLate: (startedAtMs: number) => boolean;
  #startedAtMs: number | undefined;
  #permit: Permit | undefined;
  #ended = false;
  #wasRefused = false;

  constructor(call: Call, isTooLate: (startedAtMs: number) => boolean) {
    this.#call = call;
    this.#isTooLate = isTooLate;
  }

  admitted(permit: Permit): void {
    if (this.#ended) void permit.settle('dropped', 0);
    else this.#permit = permit;
  }

  refused(): void {
    this.#wasRefused = true;
  }

  /** The real try was let through: from now on its time counts. */
  start(nowMs: number): void {
    this.#startedAtMs = nowMs;
  }

  /** The real try has ended. */
  end(outcome: Outcome, actualCost?: Micros): void {
    if (this.#ended) return;
    this.#ended = true;
    const ran = this.#startedAtMs !== undefined && !this.#wasRefused;
    const tooLate = ran && this.#isTooLate(this.#startedAtMs as number);
    if (this.#permit === undefined) this.#call.end(cancelled());
    else void this.#permit.settle(tooLate ? 'failure' : outcome, actualCost);
  }
}
