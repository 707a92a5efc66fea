import { Call, type Scope } from '../../platform/call.ts';
import type { CostLedger, Micros } from './cost-ledger.ts';
import type { Outcome } from './outcome.ts';

/** Who gave a permit, and hears what became of it. */
interface Issuer {
  settle(outcome: Outcome, startedAtMs: number, epoch: number): void;
}

/** What was put aside for a try, in the books that it was put aside in: a new policy may have others. */
export class Charge {
  readonly #ledger: CostLedger;
  readonly #id: string;

  constructor(ledger: CostLedger, id: string) {
    this.#ledger = ledger;
    this.#id = id;
  }

  /** Returns by how much it did cost more. What cannot be told now is charged in full when it expires. */
  settle(actual: Micros | undefined): Micros | Promise<Micros> {
    try {
      const overshoot = this.#ledger.settle(this.#id, actual, afterTheCall());
      return overshoot instanceof Promise ? overshoot.catch(() => 0) : overshoot;
    } catch {
      return 0;
    }
  }

  /** The try was not made. */
  release(): void {
    try {
      const released = this.#ledger.release(this.#id, afterTheCall());
      if (released instanceof Promise) released.catch(() => {});
    } catch {
      // It has expired.
    }
  }
}

const nobody: Scope = { onClose: () => () => {}, push: () => {} };
/** What is told to the books has to be told however the call ended. */
const afterTheCall = (): Call => new Call({ scope: nobody, deadlineAtMs: Infinity });

/** The right to make one try. Settled once; again changes nothing. */
export class Permit {
  readonly #issuer: Issuer;
  readonly #startedAtMs: number;
  readonly #epoch: number;
  readonly #charge: Charge | undefined;
  #open = true;

  constructor(issuer: Issuer, startedAtMs: number, epoch: number, charge: Charge | undefined) {
    this.#issuer = issuer;
    this.#startedAtMs = startedAtMs;
    this.#epoch = epoch;
    this.#charge = charge;
  }

  /**
   * Tells what became of the try, and what it did cost: without a word on that, all that was put aside. Returns by how much it was more; never throws or
   * rejects.
   */
  settle(outcome: Outcome, actualCost?: Micros): Micros | Promise<Micros> {
    if (!this.#open) return 0;
    this.#open = false;
    this.#issuer.settle(outcome, this.#startedAtMs, this.#epoch);
    return this.#charge === undefined ? 0 : this.#charge.settle(actualCost);
  }
}
