import { HoldfastError } from './errors.ts';
import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';
import {
  type BudgetState,
  inspectBudget,
  release,
  type ReservationReply,
  reserve,
  settle,
} from './wire/budget-messages.ts';

export interface BudgetOptions extends CallOptions {
  /** Whose budget it is, at most 200 bytes; each key has the limit for itself. */
  readonly key?: string | undefined;
}

export interface ReserveOptions extends BudgetOptions {
  /** At most 64 bytes, such as a UUID: the same id again is the same reservation, so that a call whose answer was lost may be repeated. */
  readonly id?: string | undefined;
  /** After so many ms without `settle` or `release` it is charged in full, at most a day; the default is the policy's `reservationMs`. */
  readonly ttlMs?: number | undefined;
}

/** The cost budget of a target by itself. Costs nothing to make. */
export class Budget {
  readonly #target: string;
  readonly #transport: Transport;

  constructor(target: string, transport: Transport) {
    this.#target = target;
    this.#transport = transport;
  }

  /** Puts an amount aside; the default is the policy's `estimate`. Fails with `COST_BUDGET_EXCEEDED` when it does not fit. */
  async reserve(amount?: number, options: ReserveOptions = {}): Promise<Reservation> {
    const { key = '', id = '', ttlMs } = options;
    const request = { target: this.#target, key, amount, reservationId: id, ttlMs };
    const reply = await this.#transport.call(reserve, request, options);
    return new Reservation(reply, this.#target, this.#transport);
  }

  /**
   * Puts an amount aside, runs `work`, and settles what it says it has spent. All of the amount is charged when it does not say, also when it throws: nobody
   * knows that nothing was spent.
   */
  async run<T>(
    amount: number | undefined,
    work: (spend: (actual: number) => void, reservation: Reservation) => Promise<T> | T,
    options: ReserveOptions = {},
  ): Promise<T> {
    await using reservation = await this.reserve(amount, options);
    return await work((actual) => reservation.spend(actual), reservation);
  }

  /** What there is of one key, in the window of now. */
  inspect(options: BudgetOptions = {}): Promise<BudgetState> {
    const request = { target: this.#target, key: options.key ?? '' };
    return this.#transport.call(inspectBudget, request, options);
  }
}

/** How long `run` and `await using` wait for the answer to their Settle. */
const settleDeadlineMs = 1_000;

/** What was put aside. At the end of its `await using` block it is settled unless it was before: what it `spend`s, or all of it. */
export class Reservation implements AsyncDisposable {
  readonly id: string;
  readonly amount: number;
  /** When it is charged in full, from when it was made. */
  readonly expiresInMs: number;
  /** What there was left then. */
  readonly budget: BudgetState;
  readonly #target: string;
  readonly #transport: Transport;
  #spent: number | undefined;
  #ended = false;

  constructor(reply: ReservationReply, target: string, transport: Transport) {
    this.id = reply.reservationId;
    this.amount = reply.amount;
    this.expiresInMs = reply.expiresInMs;
    this.budget = reply.budget;
    this.#target = target;
    this.#transport = transport;
  }

  /** Says what will be settled at the end of the block. Said again it replaces what was said before. */
  spend(actual: number): void {
    if (!(actual >= 0)) throw HoldfastError.invalid('what is spent is a number, 0 or more');
    this.#spent = actual;
  }

  /** Charges what was spent; the default is all that was put aside. Gives by how much that is more. May be repeated. */
  async settle(actual?: number, options: CallOptions = {}): Promise<number> {
    this.#ended = true;
    return this.#transport.call(settle, { ...this.#named(), actual }, options);
  }

  /** Nothing was spent. May be repeated. */
  async release(options: CallOptions = {}): Promise<void> {
    this.#ended = true;
    await this.#transport.call(release, this.#named(), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    // What cannot be told is charged in full when it expires.
    await this.settle(this.#spent, { deadlineMs: settleDeadlineMs }).catch(() => {});
  }

  #named(): { readonly target: string; readonly reservationId: string } {
    return { target: this.#target, reservationId: this.id };
  }
}
