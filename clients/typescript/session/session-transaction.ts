import { type HoldfastError, transactionOver } from '../errors.ts';
import type { BeginOptions, CallOptions, CommitOptions } from '../options.ts';
import type { Run, TransactionChannel } from '../transport.ts';
import { begin, commit, type Operation, rollback } from '../wire/operations.ts';

/** Runs a call of a transaction; `wasSent` tells, after it failed, whether the sidecar may have seen it. */
type Start = <Request, Reply>(
  operation: Operation<Request, Reply>,
  request: Request,
  options: CallOptions,
  transaction: SessionTransaction,
) => { readonly reply: Promise<Reply>; readonly wasSent: () => boolean };

/**
 * One transaction of a session. It lives in the session that sent its Begin and dies with it: its calls never run anywhere else.
 *
 * open → closed, by commit or rollback; open → lost, by a failed Begin, the sidecar's word, or the end of the session.
 */
export class SessionTransaction implements TransactionChannel {
  readonly id: number;
  readonly begun: Promise<void>;
  /** The sidecar has said that the transaction has its connection. */
  hasBegun = false;
  /** Calls of it that are held back. */
  held = 0;
  readonly #start: Start;
  #closed = false;
  #lost: HoldfastError | undefined;

  constructor(
    id: number,
    pool: string,
    options: BeginOptions,
    start: Start,
    onBegun: (transaction: SessionTransaction) => void,
    onFailed: (transaction: SessionTransaction, error: HoldfastError) => void,
  ) {
    this.id = id;
    this.#start = start;
    this.begun = start(begin, { ...options, pool }, options, this).reply.then(
      () => {
        this.hasBegun = true;
        onBegun(this);
      },
      (error: unknown) => {
        this.lose(error as HoldfastError);
        onFailed(this, error as HoldfastError);
        throw error;
      },
    );
    // Whoever pipelines statements learns of it from them.
    this.begun.catch(() => {});
  }

  /** Why no call of it can run any more on the sidecar. */
  get lost(): HoldfastError | undefined {
    return this.#lost;
  }

  get isOver(): boolean {
    return this.#closed || this.#lost !== undefined;
  }

  lose(reason: HoldfastError): void {
    this.#lost ??= reason;
  }

  readonly call: Run = (operation, request, options) => {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    if (this.#closed) return Promise.reject(transactionOver());
    return this.#start(operation, request, options, this).reply;
  };

  async commit({ events, ...options }: CommitOptions): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closed) throw transactionOver();
    const { reply, wasSent } = this.#start(commit, { events }, options, this);
    this.#closed = true;
    try {
      await reply;
    } catch (error) {
      // Given up before it was sent: the transaction is as open as before.
      if (!wasSent()) this.#closed = false;
      throw error;
    }
  }

  async rollback(options: CallOptions): Promise<void> {
    if (this.isOver) return;
    const { reply } = this.#start(rollback, undefined, options, this);
    this.#closed = true;
    try {
      await reply;
    } catch (error) {
      // It ended without us, so it is rolled back.
      if (this.#lost === undefined) throw error;
    }
  }
}
