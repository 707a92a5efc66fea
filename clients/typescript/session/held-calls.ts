import type { PendingCall } from './pending-call.ts';
import type { SessionTransaction } from './session-transaction.ts';

/**
 * Calls that cannot be sent yet: there is no connection, or the session's limits are reached.
 *
 * Two queues, each first come, first served: calls of transactions that hold a connection go before all others, which may be waiting for
 * just that connection. Calls of one transaction never pass each other.
 */
export class HeldCalls {
  #first: PendingCall[] = [];
  #others: PendingCall[] = [];

  get isEmpty(): boolean {
    return this.#first.length === 0 && this.#others.length === 0;
  }

  /** Whether a call would pass one that came before it, if it were sent now. */
  mustWait(call: PendingCall): boolean {
    const { transaction } = call;
    if (transaction !== undefined && transaction.held > 0) return true;
    if (call.operation.exempt) return false;
    return transaction?.hasBegun === true ? this.#first.length > 0 : !this.isEmpty;
  }

  add(call: PendingCall): void {
    const { transaction } = call;
    if (transaction === undefined) {
      this.#others.push(call);
      return;
    }
    transaction.held += 1;
    (transaction.hasBegun ? this.#first : this.#others).push(call);
  }

  /** To be called when a transaction has got its connection. */
  promote(transaction: SessionTransaction): void {
    if (transaction.held === 0) return;
    this.#first.push(...this.#others.filter((call) => call.transaction === transaction));
    this.#others = this.#others.filter((call) => call.transaction !== transaction);
  }

  /** Takes calls out, in order, as long as `send` takes them. Calls that are settled drop out. */
  drain(send: (call: PendingCall) => boolean): void {
    this.#first = drained(this.#first, send);
    if (this.#first.length === 0) this.#others = drained(this.#others, send);
  }

  /** Takes out all calls for which `isOut` holds. */
  remove(isOut: (call: PendingCall) => boolean): PendingCall[] {
    const out: PendingCall[] = [];
    const stays = (call: PendingCall): boolean => {
      if (!isOut(call)) return true;
      out.push(call);
      leave(call);
      return false;
    };
    this.#first = this.#first.filter(stays);
    this.#others = this.#others.filter(stays);
    return out;
  }

  *[Symbol.iterator](): Generator<PendingCall> {
    yield* this.#first;
    yield* this.#others;
  }
}

function drained(calls: PendingCall[], send: (call: PendingCall) => boolean): PendingCall[] {
  let sent = 0;
  for (const call of calls) {
    if (!call.settled && !send(call)) break;
    sent += 1;
    leave(call);
  }
  return sent === 0 ? calls : calls.slice(sent);
}

function leave({ transaction }: PendingCall): void {
  if (transaction !== undefined) transaction.held -= 1;
}
