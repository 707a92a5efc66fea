import type { Call } from '../../platform/call.ts';
import type { Deadline } from '../../platform/deadlines.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Micros } from './cost-ledger.ts';
import type { Cost, Gate } from './gate.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { Permit } from './permit.ts';
import { timedOut } from './refusals.ts';
import type { Rehearsal, Rehearsed } from './rehearsal.ts';
import { retryDelayMs } from './retry.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { TargetParts, TargetSettings } from './target-parts.ts';

/** What a caller says of its work. */
export interface Work<T> {
  /** One try. Its call ends with the caller's, and when its time is up. */
  readonly run: (call: Call) => Promise<T>;
  /** Whether it may run again after this failure: because twice does no harm, or because it did not run. */
  readonly repeatable: (error: HoldfastError) => boolean;
  readonly cost?: Cost | undefined;
  /** What a try says of the target, where its end alone does not tell; without an error it succeeded. */
  readonly outcome?: (error?: HoldfastError) => Outcome;
  /** What the try that has just ended did cost; undefined for all that was put aside. */
  readonly spent?: () => Micros | undefined;
}

/** What a call begins with, and ends under. */
export interface Policy {
  readonly parts: TargetParts;
  readonly gate: Gate;
  readonly settings: TargetSettings;
  readonly budget: RetryBudget | undefined;
  readonly rehearsal: Rehearsal | undefined;
}

/** One call with its tries. Promises are chained by hand: an `async` function for each layer would cost more than all policies together. */
export class Run<T> {
  readonly #call: Call;
  readonly #work: Work<T>;
  readonly #policy: Policy;
  readonly #startedAtMs: number;
  /** The end of the call and of its tries, by its own deadline or by the policy's. */
  readonly #latestAtMs: number;
  #attempts = 0;
  #permit: Permit | undefined;
  #rehearsed: Rehearsed | undefined;
  /** The call of the try under way, where it has less time than the whole, and what rings when that is over. */
  #limited: Call | undefined;
  #alarm: Deadline | undefined;
  /** What the last try failed with. */
  #failure: HoldfastError | undefined;
  /** Of a try whose outcome is open: whatever the next ones say, it may have taken effect. */
  #doubt: HoldfastError | undefined;

  constructor(call: Call, work: Work<T>, nowMs: number, policy: Policy) {
    this.#call = call;
    this.#work = work;
    this.#policy = policy;
    this.#startedAtMs = nowMs;
    const { timeout } = policy.settings;
    this.#latestAtMs =
      timeout === undefined
        ? call.deadlineAtMs
        : Math.min(call.deadlineAtMs, nowMs + timeout.totalMs);
  }

  /** Makes the next try, and those after it. */
  try(nowMs: number): Promise<T> {
    const { gate, rehearsal } = this.#policy;
    const { cost } = this.#work;
    this.#rehearsed = rehearsal?.begin(this.#call, nowMs, cost);
    try {
      const admitted = gate.admit(this.#call, nowMs, this.#latestAtMs, cost);
      if (!(admitted instanceof Promise)) return this.#go(admitted, nowMs);
      const go = (permit: Permit): Promise<T> => this.#go(permit, this.#policy.parts.clock.now());
      return admitted.then(go, (refusal: unknown) => Promise.reject(this.#refusal(refusal)));
    } catch (refusal) {
      return Promise.reject(this.#refusal(refusal));
    }
  }

  #go(permit: Permit, nowMs: number): Promise<T> {
    this.#permit = permit;
    this.#attempts += 1;
    this.#rehearsed?.start(nowMs);
    try {
      return this.#work.run(this.#callOfTry(nowMs)).then(this.#succeeded, this.#failed);
    } catch (thrown) {
      return Promise.resolve(this.#failed(thrown));
    }
  }

  readonly #succeeded = (value: T): T => {
    this.#settle(this.#work.outcome === undefined ? 'success' : this.#work.outcome());
    this.#policy.rehearsal?.finish(this.#startedAtMs);
    return value;
  };

  readonly #failed = (thrown: unknown): Promise<T> => {
    const error = HoldfastError.from(thrown);
    this.#settle(this.#work.outcome === undefined ? outcomeOf(error) : this.#work.outcome(error));
    this.#failure = error;
    if (error.kind === 'unknown-outcome') this.#doubt = error;
    const pauseMs = this.#pauseMs(error);
    if (pauseMs !== undefined) return this.#again(pauseMs);
    const repeatable = this.#work.repeatable(error);
    this.#policy.rehearsal?.finish(this.#startedAtMs, { error, repeatable });
    return Promise.reject(this.#doubt ?? error);
  };

  /** Who is refused a further try learns what the last one failed with. */
  #refusal(refusal: unknown): HoldfastError {
    const { parts, settings } = this.#policy;
    const error = HoldfastError.from(refusal);
    this.#rehearsed?.end('dropped', 0);
    if (error !== this.#call.ended) parts.onRefused(error.reason);
    const earlier = this.#doubt ?? this.#failure;
    if (earlier !== undefined) return earlier;
    const isOurs = error.reason === 'DEADLINE_EXCEEDED' && this.#call.ended === undefined;
    if (!isOurs || settings.timeout === undefined) return error;
    return timedOut(parts.name, 'timeout.totalMs', settings.timeout.totalMs);
  }

  #settle(outcome: Outcome): void {
    if (this.#limited !== undefined) this.#release(this.#limited);
    const spent = this.#work.spent?.();
    this.#rehearsed?.end(outcome, spent);
    void this.#permit?.settle(outcome, spent);
  }

  #again(pauseMs: number): Promise<T> {
    const { clock, onRetry } = this.#policy.parts;
    return new Promise<void>((resolve, reject) => {
      const stop = clock.after(pauseMs, () => {
        unlisten();
        resolve();
      });
      const unlisten = this.#call.onEnd((reason) => {
        stop();
        reject(this.#doubt ?? reason);
      });
    }).then(() => {
      onRetry();
      return this.try(clock.now());
    });
  }

  #pauseMs(error: HoldfastError): number | undefined {
    const { retry } = this.#policy.settings;
    const { clock, random } = this.#policy.parts;
    if (retry === undefined || this.#call.ended !== undefined) return undefined;
    const repeatable = this.#work.repeatable(error);
    const pauseMs = retryDelayMs(retry, { error, attempts: this.#attempts, repeatable }, random);
    const now = clock.now();
    // A try that would come too late is not paid for.
    if (pauseMs === undefined || now + pauseMs >= this.#latestAtMs) return undefined;
    return this.#policy.budget?.withdraw(now) === false ? undefined : pauseMs;
  }

  /** For one try, until it is settled. */
  #callOfTry(nowMs: number): Call {
    const call = this.#call;
    const { parts, settings } = this.#policy;
    if (settings.timeout === undefined) return call;
    const { perTryMs } = settings.timeout;
    const deadlineAtMs =
      perTryMs === 0 ? this.#latestAtMs : Math.min(nowMs + perTryMs, this.#latestAtMs);
    if (deadlineAtMs >= call.deadlineAtMs) return call;
    const limited = call.within(deadlineAtMs);
    this.#limited = limited;
    this.#alarm = parts.deadlines.set(deadlineAtMs, () => this.#late());
    return limited;
  }

  #late(): void {
    const limited = this.#limited;
    const { parts, settings } = this.#policy;
    if (limited === undefined || settings.timeout === undefined) return;
    const { perTryMs, totalMs } = settings.timeout;
    limited.end(
      limited.deadlineAtMs < this.#latestAtMs
        ? timedOut(parts.name, 'timeout.perTryMs', perTryMs)
        : timedOut(parts.name, 'timeout.totalMs', totalMs),
    );
  }

  #release(limited: Call): void {
    this.#call.part(limited);
    if (this.#alarm !== undefined) this.#policy.parts.deadlines.clear(this.#alarm);
    this.#limited = undefined;
    this.#alarm = undefined;
  }
}
