import type { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { Work } from '../resilience/run.ts';
import type { Connection } from './connection.ts';
import { Exchange, type Statement, type StatementResult, type Step } from './exchange.ts';
import { demoteIfReadOnly, exchangeError, isStale } from './exchange-error.ts';
import { looseResults, runLoosely } from './loose-batch.ts';
import type { Pool } from './pool.ts';
import { roomElseGiveBack, type Loan } from './pool-loan.ts';
import { rowStream } from './row-stream.ts';
import type { StatementProfile } from './statement-profile.ts';
import { ended } from './transaction-errors.ts';

/** What statements by themselves need of their database. */
interface AutocommitHost {
  readonly name: string;
  readonly clock: Clock;
  readonly pool: Pool<Connection>;
  /** Longest pause of a stream. */
  readonly idleTimeoutMs: () => number;
  /** Of one result, in bytes. */
  maxResultBytes(): number;
  /** Throws STATEMENT_REFUSED. */
  admit(sql: string): StatementProfile;
  step(statement: Statement): Step;
  observe(exchange: Exchange): void;
  refused(why: string): HoldfastError;
}

/** A statement that usually takes longer has a connection to itself: in a pipeline the others would wait behind it. */
const sharesBelowMs = 2;
const internalTries = 3;

/** Statements that are transactions of their own. */
export class Autocommit {
  readonly #host: AutocommitHost;

  constructor(host: AutocommitHost) {
    this.#host = host;
  }

  /** One statement by itself, as work that may be tried more than once. Throws STATEMENT_REFUSED. */
  query({ sql, params }: Statement, idempotent: boolean): Work<StatementResult> {
    const { pool } = this.#host;
    const profile = this.#host.admit(sql);
    this.#refuseInAutocommit(profile);
    let repeatable = false;
    return {
      run: async (call) => {
        repeatable = false;
        for (let tries = 0; ;) {
          const shares = profile.reads && profile.usualMs < sharesBelowMs;
          const lending = shares ? pool.share(call) : pool.lend(call);
          const loan = lending instanceof Promise ? await lending : lending;
          const room = roomElseGiveBack(loan, call);
          if (room !== undefined) {
            await room;
            continue;
          }
          const exchange = new Exchange([{ profile, params }], this.#host.maxResultBytes());
          await this.#runOn(loan, exchange, call, profile.dirties);
          if (exchange.failure === undefined) return exchange.results[0] as StatementResult;
          tries += 1;
          if (tries < internalTries && this.#ranNot(exchange, loan.connection, call)) continue;
          const isHarmless = profile.reads || idempotent || !exchange.sent;
          // What the server itself said stands.
          repeatable = isHarmless && (exchange.failure.lost || call.ended !== undefined);
          throw this.#errorOf(exchange, call, profile);
        }
      },
      repeatable: () => repeatable,
    };
  }

  /** Runs statements in order on one connection, each a transaction of its own; one that fails does not stop the next. */
  async looseBatch(
    statements: readonly Statement[],
    call: Call,
  ): Promise<readonly (StatementResult | HoldfastError)[]> {
    const steps = statements.map((statement) => this.#host.step(statement));
    for (const { profile } of steps) this.#refuseInAutocommit(profile);
    const loan = await this.#lend(call);
    const maxResultBytes = this.#host.maxResultBytes();
    const batch = { pool: this.#host.name, steps, maxResultBytes, call };
    const exchanges = await runLoosely(loan.connection, batch);
    const dirties = steps.some(({ profile }) => profile.dirties);
    await this.#giveBack(loan, exchanges.at(-1), dirties);
    for (const exchange of exchanges) this.#host.observe(exchange);
    return looseResults(loan.connection, exchanges, batch);
  }

  /**
   * Runs one query in a transaction of its own and hands its rows on as they are read. While `onPart` returns a promise the server is not read
   * from, and so stops sending; its statement timeout does not run.
   */
  async stream(
    statement: Statement,
    maxRows: number,
    call: Call,
    onPart: (part: Buffer) => Promise<void>,
  ): Promise<void> {
    const step = this.#host.step(statement);
    const { profile } = step;
    this.#refuseInAutocommit(profile);
    for (let attempt = 1; ; attempt += 1) {
      const loan = await this.#host.pool.lend(call);
      const consumer = { maxRows, onPart, inTime: (taken: Promise<void>) => this.#inTime(taken) };
      const { exchange, handedOn } = rowStream(loan.connection, step, consumer);
      const unlisten = call.onEnd(() => loan.connection.resume(exchange));
      await this.#runOn(loan, exchange, call, profile.dirties);
      unlisten();
      await handedOn();
      if (exchange.failure === undefined) return;
      if (attempt < internalTries && this.#ranNot(exchange, loan.connection, call)) continue;
      throw this.#errorOf(exchange, call, profile);
    }
  }

  /** A consumer that takes nothing holds a transaction that is idle. */
  async #inTime(taken: Promise<void>): Promise<void> {
    const { name, clock, idleTimeoutMs } = this.#host;
    const timeoutMs = idleTimeoutMs();
    const message = `the rows of the stream were not taken for ${timeoutMs} ms`;
    let stop = (): void => {};
    const late = new Promise<never>((_, reject) => {
      stop = clock.after(timeoutMs, () =>
        reject(ended(name, 'IDLE_IN_TRANSACTION_TIMEOUT', message)),
      );
    });
    await Promise.race([taken, late]).finally(stop);
  }

  /** A connection for the caller alone, once its client has room for what comes of it. */
  async #lend(call: Call): Promise<Loan<Connection>> {
    for (;;) {
      const loan = await this.#host.pool.lend(call);
      const room = roomElseGiveBack(loan, call);
      if (room === undefined) return loan;
      await room;
    }
  }

  /** Runs an exchange on a borrowed connection and gives the connection back. */
  async #runOn(
    loan: Loan<Connection>,
    exchange: Exchange,
    call: Call,
    dirties: boolean,
  ): Promise<void> {
    const { connection } = loan;
    if (call.ended !== undefined) {
      loan.giveBack();
      throw call.ended;
    }
    connection.submit(exchange);
    const unlisten = call.onEnd(() => connection.cancel(exchange));
    await exchange.done;
    unlisten();
    this.#host.observe(exchange);
    await this.#giveBack(loan, exchange, dirties);
  }

  async #giveBack(
    loan: Loan<Connection>,
    exchange: Exchange | undefined,
    dirties: boolean,
  ): Promise<void> {
    // A cancel request under way would hit whatever the next borrower runs.
    if (exchange?.cancelRequested === true) await loan.connection.quiet();
    loan.giveBack(dirties || loan.connection.status !== 'I');
  }

  /** Whether the failure says that nothing ran, for a cause that is the pool's own affair. */
  #ranNot(exchange: Exchange, connection: Connection, call: Call): boolean {
    if (call.ended !== undefined || exchange.failure?.lost === true) return false;
    if (isStale(exchange)) {
      for (const { profile } of exchange.steps) connection.forgetStatement(profile.sql);
      return true;
    }
    // The pool has others, or opens one. A procedure may have committed something before.
    if (demoteIfReadOnly(exchange, connection)) {
      return exchange.steps.every(({ profile }) => !profile.dirties);
    }
    // Only readers have neighbours whose cancel may hit them, and only they may run twice: a procedure commits as it goes.
    return (
      exchange.failure?.fields?.['C'] === '57014' &&
      exchange.steps.every(({ profile }) => profile.reads) &&
      connection.mayHaveBeenHitByCancel(exchange)
    );
  }

  #errorOf(exchange: Exchange, call: Call, { reads }: StatementProfile): HoldfastError {
    return exchangeError(exchange, call, { pool: this.#host.name, writes: !reads });
  }

  #refuseInAutocommit({ autocommitRefusal }: StatementProfile): void {
    if (autocommitRefusal !== undefined) throw this.#host.refused(autocommitRefusal);
  }
}
