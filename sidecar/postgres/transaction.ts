import { HoldfastError } from '../../platform/errors.ts';
import type { Call } from '../../platform/call.ts';
import type { Connection } from './connection.ts';
import { type BeginOptions, openingFault, openingSteps } from './begin-statement.ts';
import { prepareCommit } from './commit-preparation.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Statement, type StatementResult, type Step } from './exchange.ts';
import {
  commitUnknown,
  exchangeError,
  isStale,
  neverEnds,
  demoteIfReadOnly,
  rolledBack,
} from './exchange-error.ts';
import type { OutboxEvent } from './outbox.ts';
import type { Loan } from './pool-loan.ts';
import { RunningExchange } from './running-exchange.ts';
import { endTransaction, rollBack, untilDeadline } from './transaction-commit.ts';
import { connectionLost, ended } from './transaction-errors.ts';
import { TransactionFailure } from './transaction-failure.ts';
import type { TransactionHost } from './transaction-host.ts';
import { introduce, questionBytes, TransactionIdentifier } from './transaction-identifier.ts';
import { TransactionTimers } from './transaction-timers.ts';

const staleRetries = 3;

/**
 * One transaction on one connection. Its work runs strictly in order.
 *
 * States: open → ended, once. Commit and rollback end it, and so do a lost connection, its two timeouts and `abort`; then everything still
 * queued fails with the reason, the server is told to roll back, and the connection goes back to its pool. BEGIN travels with the first
 * statement, in the same exchange: if it fails the statement is skipped by the server, so nothing ever runs outside the transaction.
 */
export class Transaction {
  readonly #host: TransactionHost;
  readonly #options: BeginOptions;
  /** Settles when the connection is there; rejects when there is none to be had. */
  readonly #borrowed: Promise<Loan<Connection>>;
  /** Resolves when the work queued last is done. */
  #tail: Promise<unknown>;
  #queued = 0;
  #begun = false;
  #dirty = false;
  readonly #running = new RunningExchange();
  #committing = false;
  #ended: HoldfastError | undefined;
  #wake: () => void = () => {};
  readonly #failure = new TransactionFailure();
  readonly #identifier = new TransactionIdentifier();
  readonly #timers: TransactionTimers;

  constructor(host: TransactionHost, options: BeginOptions, call: Call) {
    this.#host = host;
    this.#options = options;
    this.#borrowed = host.borrow(call);
    this.#timers = new TransactionTimers({
      clock: host.clock,
      pool: host.name,
      timeoutMs: options.timeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      onPassed: (reason) => this.abort(reason),
    });
    this.#tail = this.#borrowed.then(
      (loan) => {
        this.#watchIdle();
        loan.onLost(() => this.abort(connectionLost(this.#host.name, loan.connection.lostBy)));
      },
      (error: unknown) => this.#end(HoldfastError.from(error)),
    );
  }

  /** Name of its pool. */
  get pool(): string {
    return this.#host.name;
  }

  /** Resolves when the transaction has its connection. */
  async started(): Promise<void> {
    await this.#borrowed;
    if (this.#ended !== undefined) throw this.#ended;
  }

  query(statement: Statement, call: Call): Promise<StatementResult> {
    const step = this.#host.step(statement);
    return this.#inOrder(async () => (await this.#run([step], call))[0] as StatementResult);
  }

  /** Statements in order, sent together; the first error ends the batch. */
  batch(statements: readonly Statement[], call: Call): Promise<readonly StatementResult[]> {
    const steps = statements.map((statement) => this.#host.step(statement));
    return this.#inOrder(() => this.#run(steps, call, true));
  }

  /** Statements that come of each other's answers, as one unit of the order: nothing else of the transaction runs between them. */
  together<T>(
    work: (query: (statement: Statement) => Promise<StatementResult>) => Promise<T>,
    call: Call,
  ): Promise<T> {
    const query = async (statement: Statement): Promise<StatementResult> => {
      if (this.#ended !== undefined) throw this.#ended;
      return (await this.#run([this.#host.step(statement)], call))[0] as StatementResult;
    };
    return this.#inOrder(() => work(query));
  }

  /** A statement whose text is the sidecar's: SAVEPOINT, FETCH … */
  control(sql: string, call: Call): Promise<StatementResult> {
    return this.#inOrder(async () => {
      const [result] = await this.#run([controlStatement(sql)], call);
      this.#failure.worked(sql);
      return result as StatementResult;
    });
  }

  /** Takes the place of work that was refused before it came here: fails with the reason in its turn, and the transaction cannot be committed any more. */
  refuse(reason: HoldfastError): Promise<never> {
    return this.#inOrder(() => Promise.reject(reason));
  }

  /** Resolves only when the server has confirmed it; rolls back if something failed. Not cancelled by anything; at the call's deadline the caller is told that nobody knows. Its events are there if and only if it is committed. */
  commit(call: Call, events: readonly OutboxEvent[] = []): Promise<void> {
    return this.#inOrder(async (loan) => {
      const append = await this.#prepareCommit(loan.connection, events, call);
      if (this.#ended !== undefined) throw this.#ended;
      this.#committing = true;
      // Ended from here on: what is queued behind must never reach the connection, however the commit goes on.
      this.#end(ended(this.#host.name, 'UNKNOWN_TRANSACTION', 'the transaction has ended'));
      const committed = this.#commitOn(loan, append, call);
      if (events.length > 0) void committed.finally(this.#host.hasEvents).catch(() => {});
      return untilDeadline(committed, call, this.pool);
    });
  }

  rollback(): Promise<void> {
    return this.#inOrder(async (loan) => {
      this.#end(ended(this.#host.name, 'TRANSACTION_ROLLED_BACK', 'rolled back by its caller'));
      await this.#rollBackOn(loan);
    });
  }

  /** Ends it from outside: the statement that runs is cancelled, everything is rolled back. A commit under way is left alone. */
  abort(reason: HoldfastError): void {
    if (this.#ended !== undefined || this.#committing) return;
    this.#end(reason);
    this.#running.cancel();
    this.#options.onAborted(reason);
    void this.#borrowed.then(
      async (loan) => {
        await this.#tail.catch(() => {});
        await this.#rollBackOn(loan);
      },
      () => {},
    );
  }

  #inOrder<T>(work: (loan: Loan<Connection>) => Promise<T>): Promise<T> {
    this.#timers.busy();
    this.#queued += 1;
    const result = this.#tail.then(async () => {
      if (this.#ended !== undefined) throw this.#ended;
      return work(await this.#borrowed);
    });
    this.#tail = result.then(
      () => this.#workDone(false),
      () => this.#workDone(true),
    );
    return result;
  }

  #workDone(failed: boolean): void {
    if (failed) this.#failure.happened();
    this.#queued -= 1;
    this.#watchIdle();
  }

  #watchIdle(): void {
    if (this.#queued === 0 && this.#ended === undefined) this.#timers.idle();
  }

  /** Until the client takes its answers, or this ends: a client that reads nothing keeps no connection beyond its time. */
  async #roomOrEnd(room: Promise<void>): Promise<void> {
    await Promise.race([room, new Promise<void>((resolve) => (this.#wake = resolve))]);
    if (this.#ended !== undefined) throw this.#ended;
  }

  async #run(
    steps: readonly Step[],
    call: Call,
    isBatch = false,
    attempt = 1,
  ): Promise<readonly StatementResult[]> {
    call.throwIfEnded();
    const room = call.room();
    if (room !== undefined) await this.#roomOrEnd(room);
    const loan = await this.#borrowed;
    const { connection } = loan;
    const begun = this.#begun;
    if (!begun && !this.#options.readOnly) {
      await introduce(connection, (exchange) => this.#running.perform(connection, exchange, call));
    }
    const opening = begun ? [] : openingSteps(this.#options);
    const question = this.#identifier.question(steps, connection);
    const exchange = new Exchange(
      [...opening, ...steps, ...(question === undefined ? [] : [question])],
      this.#host.maxResultBytes + (question === undefined ? 0 : questionBytes),
    );
    this.#begun = true;
    this.#dirty ||= steps.some(({ profile }) => profile.dirties);
    await this.#running.perform(connection, exchange, call);
    this.#host.observe(exchange);
    if (!this.#options.readOnly) demoteIfReadOnly(exchange, connection);
    if (isStale(exchange)) {
      for (const { profile } of exchange.steps) connection.forgetStatement(profile.sql);
      if (!begun && attempt < staleRetries) {
        // Once more from BEGIN: what failed came first, so nothing of the transaction is lost.
        await this.#rollBack(connection);
        this.#begun = false;
        return this.#run(steps, call, isBatch, attempt + 1);
      }
    }
    this.#checkStillOpen(exchange, loan, begun);
    if (exchange.failure !== undefined) {
      const fault = openingFault(exchange, this.#host.name);
      if (fault !== undefined) this.abort(fault);
      const batch = isBatch ? { batchOffset: opening.length } : {};
      throw (
        this.#ended ??
        exchangeError(exchange, call, { pool: this.#host.name, writes: false, ...batch })
      );
    }
    const results = exchange.results.slice(opening.length);
    if (question !== undefined) this.#identifier.learn(results.pop(), connection);
    return results;
  }

  async #prepareCommit(connection: Connection, events: readonly OutboxEvent[], call: Call) {
    if (this.#failure.stands) return undefined;
    const run = (steps: readonly Step[]): Promise<unknown> => this.#run(steps, call);
    const [options, identifier, begun] = [this.#options, this.#identifier, this.#begun];
    const parts = { pool: this.pool, options, identifier, begun, connection, run };
    return prepareCommit(parts, events).catch((error: unknown) => {
      this.abort(HoldfastError.from(error));
      throw error;
    });
  }

  /** The server's word on what the statement left behind. */
  #checkStillOpen(exchange: Exchange, loan: Loan<Connection>, begun: boolean): void {
    const { failure, status } = exchange;
    if (this.#ended !== undefined || (status !== 'I' && failure?.lost !== true)) return;
    const { name } = this.#host;
    if (failure?.lost === true) {
      this.#end(connectionLost(this.#host.name, failure.error));
    } else if (!begun && failure !== undefined) {
      this.#end(exchangeError(exchange, neverEnds, { pool: name, writes: false })); // BEGIN itself failed
    } else {
      this.#end(commitUnknown(name, new Error('a statement ended the transaction by itself')));
    }
    loan.giveBack(this.#dirty || loan.connection.status !== 'I');
    this.#options.onAborted(this.#ended as unknown as HoldfastError);
  }

  async #commitOn(loan: Loan<Connection>, append: Step | undefined, call: Call): Promise<void> {
    const failed = this.#failure.stands;
    if (!this.#begun) {
      loan.giveBack();
      if (failed) throw rolledBack(this.#host.name);
      return;
    }
    await endTransaction(loan.connection, {
      host: this.#host,
      commitId: this.#options.commitId,
      identity: this.#identifier.identity,
      nothingToCommit: failed || this.#options.readOnly || !this.#identifier.mayWrite,
      failed,
      append,
      call,
      onAnswered: () => loan.giveBack(this.#dirty || loan.connection.status !== 'I'),
    });
  }

  async #rollBackOn(loan: Loan<Connection>): Promise<void> {
    await this.#rollBack(loan.connection);
    loan.giveBack(this.#dirty || loan.connection.status !== 'I');
  }

  async #rollBack(connection: Connection): Promise<void> {
    if (!this.#begun || !connection.usable || connection.status === 'I') return;
    await rollBack(connection, this.#host);
  }

  #end(reason: HoldfastError): void {
    this.#ended ??= reason;
    this.#wake();
    this.#timers.stop();
  }
}
