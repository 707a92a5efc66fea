import { Call, deadlineExceeded } from '../../platform/call.ts';
import type { Deadlines } from '../../platform/deadlines.ts';
import { HoldfastError, type ErrorKind } from '../../platform/errors.ts';
import { Gate, type Cost, type GateParts, type GateSettings } from './gate.ts';
import type { Outcome } from './outcome.ts';
import { retryDelayMs, type RetrySettings } from './retry.ts';
import { RetryBudget, type RetryBudgetSettings } from './retry-budget.ts';

/** All that a policy says of one target. */
export interface TargetSettings extends GateSettings {
  readonly timeout?: { readonly totalMs?: number; readonly perTryMs?: number } | undefined;
  readonly retry?: (RetrySettings & { readonly budget: RetryBudgetSettings }) | undefined;
}

interface TargetParts extends GateParts {
  readonly random: () => number;
  readonly deadlines: Deadlines;
  /** A call is tried once more. */
  readonly onRetry: () => void;
}

/** What a caller says of its work. */
export interface Work<T> {
  /** One try. Its call ends with the caller's, and when its time is up. */
  readonly run: (call: Call) => Promise<T>;
  /** Whether it may run again after this failure: because twice does no harm, or because it did not run. */
  readonly repeatable: (error: HoldfastError) => boolean;
  readonly cost?: Cost;
}

/** A call with less time than the one that it is part of. */
interface Limited {
  readonly call: Call;
  /** Lets go of the call that it is part of. */
  readonly done: () => void;
}

/**
 * The policy of one target around its calls: total timeout → retry → [for each try: gate → time of one try → work].
 *
 * Nothing is held during the pause between two tries; cost and rate are charged for each. A refusal of the gate is no outcome and ends the call: whoever
 * is refused is told when to come back, and does not queue up behind itself. A call runs to its end under the settings that it began with.
 */
export class Target {
  readonly gate: Gate;
  readonly #parts: TargetParts;
  #settings: TargetSettings;
  #budget: RetryBudget | undefined;

  constructor(settings: TargetSettings, parts: TargetParts) {
    this.#parts = parts;
    this.#settings = settings;
    this.gate = new Gate(settings, parts);
    this.#setBudget(settings);
  }

  /** New settings for calls that begin from now on; state that still fits stays. */
  configure(settings: TargetSettings): void {
    this.#settings = settings;
    this.gate.configure(settings);
    this.#setBudget(settings);
  }

  /** Rejects with a refusal, or with what the last try failed with. */
  async run<T>(call: Call, work: Work<T>): Promise<T> {
    const { timeout, retry } = this.#settings;
    const { clock, onRetry } = this.#parts;
    const whole = this.#within(call, timeout?.totalMs);
    this.#budget?.deposit(clock.now());
    try {
      for (let attempts = 1; ; attempts += 1) {
        const admitted = this.gate.admit(whole.call, work.cost);
        const permit = admitted instanceof Promise ? await admitted : admitted;
        const one = this.#within(whole.call, timeout?.perTryMs);
        let outcome: Outcome = 'success';
        let pauseMs: number | undefined;
        try {
          return await work.run(one.call);
        } catch (thrown) {
          const error = HoldfastError.from(thrown);
          outcome = outcomeOf(error);
          pauseMs = this.#pauseMs(retry, { error, attempts, call: whole.call, work });
          if (pauseMs === undefined) throw error;
        } finally {
          one.done();
          permit.settle(outcome);
        }
        await clock.sleep(pauseMs);
        whole.call.throwIfEnded();
        onRetry();
      }
    } finally {
      whole.done();
    }
  }

  #pauseMs<T>(
    retry: TargetSettings['retry'],
    tried: {
      readonly error: HoldfastError;
      readonly attempts: number;
      readonly call: Call;
      readonly work: Work<T>;
    },
  ): number | undefined {
    const { error, attempts, call, work } = tried;
    const { clock, random } = this.#parts;
    if (retry === undefined || call.ended !== undefined) return undefined;
    const failed = { error, attempts, repeatable: work.repeatable(error) };
    const pauseMs = retryDelayMs(retry, failed, random);
    const now = clock.now();
    // A try that would come too late is not paid for.
    if (pauseMs === undefined || now + pauseMs >= call.deadlineAtMs) return undefined;
    return this.#budget?.withdraw(now) === false ? undefined : pauseMs;
  }

  #within(call: Call, timeoutMs: number | undefined): Limited {
    const { clock, deadlines } = this.#parts;
    const deadlineAtMs = clock.now() + (timeoutMs ?? Infinity);
    if (deadlineAtMs >= call.deadlineAtMs) return { call, done: nothing };
    const { scope, priority, traceparent, transactionId } = call;
    const limited = new Call({ scope, deadlineAtMs, priority, traceparent, transactionId });
    const unlisten = call.onEnd((reason) => limited.end(reason));
    const unwatch = deadlines.watch(deadlineAtMs, () => limited.end(deadlineExceeded()));
    return {
      call: limited,
      done: () => {
        unlisten();
        unwatch();
      },
    };
  }

  #setBudget({ retry }: TargetSettings): void {
    const now = this.#parts.clock.now();
    if (retry === undefined) this.#budget = undefined;
    else if (this.#budget === undefined) this.#budget = new RetryBudget(retry.budget, now);
    else this.#budget.configure(retry.budget, now);
  }
}

const nothing = (): void => {};

const outcomes: Partial<Record<ErrorKind, Outcome>> = {
  unavailable: 'failure',
  deadline: 'failure',
  internal: 'failure',
  'unknown-outcome': 'failure',
  exhausted: 'throttled',
  cancelled: 'dropped',
};

/** What a failure says of the target's health: one that the request itself is to blame for says that it is well. */
const outcomeOf = ({ kind }: HoldfastError): Outcome => outcomes[kind] ?? 'success';
