import { cancelled, type Call, type Scope } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Transaction } from '../../postgres/transaction.ts';
import { invalid } from './statement-values.ts';

/** Ended transactions whose reason is still told to frames that come late. */
const remembered = 1_000;

interface Open {
  readonly transaction: Transaction;
  whenOver: () => void;
}

interface Transactions {
  readonly open: Map<number, Open>;
  readonly ended: Map<number, HoldfastError>;
}

/** The transactions of each session, by the number that its client gave them. When the session closes they are rolled back. */
export class SessionTransactions {
  readonly #byScope = new WeakMap<Scope, Transactions>();

  /** The transaction of the call's frame. Throws UNKNOWN_TRANSACTION, or why it ended. */
  of({ scope, transactionId }: Call): Transaction {
    const transactions = this.#byScope.get(scope);
    const found = transactions?.open.get(transactionId);
    if (found !== undefined) return found.transaction;
    throw transactions?.ended.get(transactionId) ?? unknown(transactionId);
  }

  /** Runs `work` in the transaction of the call's frame. What it refuses at once takes its turn as work that failed. */
  run<T>(call: Call, pool: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = this.of(call);
    try {
      checkPool(transaction, pool);
      return work(transaction);
    } catch (error) {
      return transaction.refuse(HoldfastError.from(error));
    }
  }

  /** A frame of the transaction was refused before it was run; its client is told why elsewhere. */
  refuse({ scope, transactionId }: Call): void {
    const found = this.#byScope.get(scope)?.open.get(transactionId);
    found?.transaction.refuse(cancelled()).catch(() => {});
  }

  /** Name of its pool, for metrics; `unknown` when there is no such transaction. */
  poolOf({ scope, transactionId }: Call): string {
    return this.#byScope.get(scope)?.open.get(transactionId)?.transaction.pool ?? 'unknown';
  }

  /** Begins a transaction under the number of the call's frame. */
  add(
    { scope, transactionId }: Call,
    begin: (onAborted: (reason: HoldfastError) => void) => Transaction,
  ): Transaction {
    if (transactionId === 0) {
      throw invalid('the frame of a Begin needs a transaction_id');
    }
    const transactions = this.#transactionsOf(scope);
    if (transactions.open.has(transactionId)) {
      throw new HoldfastError(
        'already-exists',
        'TRANSACTION_ID_IN_USE',
        `the transaction ${transactionId} of this session is still open`,
      );
    }
    transactions.ended.delete(transactionId);
    const transaction = begin((reason) => {
      this.remove({ scope, transactionId }, transaction, reason);
    });
    transactions.open.set(transactionId, { transaction, whenOver: () => {} });
    return transaction;
  }

  /** Calls back once when the transaction is taken off. */
  whenOver({ scope, transactionId }: Call, transaction: Transaction, listener: () => void): void {
    const found = this.#byScope.get(scope)?.open.get(transactionId);
    if (found?.transaction === transaction) found.whenOver = listener;
    else listener();
  }

  /**
   * Takes an ended transaction off; late frames are told `reason`. Its number may belong to another one by now: a Commit that waited behind its end is
   * answered later than the Begin of the next.
   */
  remove(
    { scope, transactionId }: Pick<Call, 'scope' | 'transactionId'>,
    transaction: Transaction,
    reason?: HoldfastError,
  ): void {
    const transactions = this.#byScope.get(scope);
    const found = transactions?.open.get(transactionId);
    if (transactions === undefined || found?.transaction !== transaction) return;
    transactions.open.delete(transactionId);
    found.whenOver();
    if (reason === undefined) return;
    transactions.ended.set(transactionId, reason);
    if (transactions.ended.size <= remembered) return;
    const oldest = transactions.ended.keys().next();
    if (oldest.done !== true) transactions.ended.delete(oldest.value);
  }

  #transactionsOf(scope: Scope): Transactions {
    const known = this.#byScope.get(scope);
    if (known !== undefined) return known;
    const made: Transactions = { open: new Map(), ended: new Map() };
    this.#byScope.set(scope, made);
    scope.onClose(() => {
      for (const { transaction, whenOver } of made.open.values()) {
        whenOver();
        transaction.abort(sessionClosed());
      }
      made.open.clear();
    });
    return made;
  }
}

/** A transaction stays on its pool. Throws INVALID_REQUEST. */
export function checkPool({ pool: own }: Transaction, pool: string): void {
  if (pool === '' || pool === own) return;
  throw invalid(`the request names another pool than its transaction, which is on "${own}"`);
}

const unknown = (id: number): HoldfastError =>
  new HoldfastError(
    'not-found',
    'UNKNOWN_TRANSACTION',
    `this session has no open transaction ${id}; nothing was run`,
  );

const sessionClosed = (): HoldfastError =>
  new HoldfastError(
    'cancelled',
    'TRANSACTION_ROLLED_BACK',
    'the transaction was rolled back, because its session ended',
  );
