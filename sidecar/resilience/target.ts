import type { Call } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { CostLedger, Micros } from './cost-ledger.ts';
import { Gate, type Cost } from './gate.ts';
import type { Outcome } from './outcome.ts';
import { Rehearsal } from './rehearsal.ts';
import { RetryBudget } from './retry-budget.ts';
import { Run, type Policy, type Work } from './run.ts';
import type { TargetKind, TargetParts, TargetSettings } from './target-parts.ts';

/** The right to make one call, for callers who make it themselves. Settled once. */
export interface Entry {
  /** Tells what became of it and what it did cost; returns by how much that is more than what was put aside. */
  settle(outcome: Outcome, actualCost?: Micros): Micros | Promise<Micros>;
}

/**
 * The policy of one target around its calls: total timeout → retry → [for each try: gate → time of one try → work].
 *
 * Nothing is held during the pause between two tries; cost and rate are charged for each. A refusal of the gate is no outcome and ends the call: whoever
 * is refused is told when to come back, and does not queue up behind itself. A call runs to its end under the settings that it began with.
 */
export class Target {
  readonly kind: TargetKind;
  readonly name: string;
  readonly gate: Gate;
  readonly #parts: TargetParts;
  #settings: TargetSettings = {};
  #budget: RetryBudget | undefined;
  #ledger: CostLedger | undefined;
  #rehearsal: Rehearsal | undefined;
  #passes = true;
  /** Of calls that begin now; never changed, only replaced. */
  #policy: Policy;

  constructor(parts: TargetParts) {
    this.kind = parts.kind;
    this.name = parts.name;
    this.#parts = parts;
    this.gate = new Gate({ ...parts, target: parts.name });
    this.#policy = this.#policyNow();
  }

  get settings(): TargetSettings {
    return this.#settings;
  }

  /** The books of its cost budget; undefined without one. */
  get ledger(): CostLedger | undefined {
    return this.#ledger;
  }

  get isShadowed(): boolean {
    return this.#rehearsal !== undefined;
  }

  /** No policy says anything of it: a caller in a hurry may go by. Calls that do are not counted against a limit that comes later. */
  get passes(): boolean {
    return this.#passes;
  }

  /** New settings for calls that begin from now on; state that still fits stays. */
  configure(settings: TargetSettings, ledger?: CostLedger): void {
    this.#settings = settings;
    this.#ledger = ledger;
    this.gate.configure(settings, ledger);
    this.#budget = RetryBudget.next(this.#budget, settings.retry?.budget, this.#parts.clock.now());
    this.#look();
  }

  /** Settings that are only rehearsed, beside those in force; undefined for none. */
  shadow(settings: TargetSettings | undefined, ledger?: CostLedger): void {
    if (settings === undefined) this.#rehearsal = undefined;
    else {
      this.#rehearsal ??= new Rehearsal(this.#parts);
      this.#rehearsal.configure(settings, ledger);
    }
    this.#look();
  }

  /** Runs work under the policy. Rejects with a refusal, or with what the last try failed with. */
  run<T>(call: Call, work: Work<T>): Promise<T> {
    const now = this.#parts.clock.now();
    this.#budget?.deposit(now);
    return new Run(call, work, now, this.#policy).try(now);
  }

  /** Lets one call through that its caller makes itself, without timeout and retry. Throws or rejects with a refusal. */
  enter(call: Call, cost?: Cost): Entry | Promise<Entry> {
    const now = this.#parts.clock.now();
    const rehearsed = this.#rehearsal?.begin(call, now, cost);
    const enter = (entry: Entry): Entry =>
      rehearsed === undefined
        ? entry
        : {
            settle: (outcome, actual) => {
              rehearsed.end(outcome, actual);
              return entry.settle(outcome, actual);
            },
          };
    const refuse = (refusal: HoldfastError): never => {
      rehearsed?.end('dropped', 0);
      if (refusal !== call.ended) this.#parts.onRefused(refusal.reason);
      throw refusal;
    };
    try {
      const admitted = this.gate.admit(call, now, call.deadlineAtMs, cost);
      return admitted instanceof Promise ? admitted.then(enter, refuse) : enter(admitted);
    } catch (refusal) {
      return refuse(refusal as HoldfastError);
    }
  }

  #look(): void {
    this.#policy = this.#policyNow();
    const says = Object.values(this.#settings).some((each) => each !== undefined);
    this.#passes = !says && this.#rehearsal === undefined;
  }

  #policyNow(): Policy {
    return {
      parts: this.#parts,
      gate: this.gate,
      settings: this.#settings,
      budget: this.#budget,
      rehearsal: this.#rehearsal,
    };
  }
}
