import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { cancelled, type Call } from '../../platform/call.ts';
import type { Connection } from './connection.ts';
import { Exchange, type Statement, type StatementResult, type Step } from './exchange.ts';
import { exchangeError, isStale } from './exchange-error.ts';
import { Pool } from './pool.ts';
import { roomElseGiveBack, type Loan } from './pool-loan.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolEvents } from './pool-parts.ts';
import { rowStream } from './row-stream.ts';
import { learn, StatementProfiles, type StatementProfile } from './statement-profile.ts';
import type { BeginOptions } from './begin-statement.ts';
import { Transaction, type TransactionHost } from './transaction.ts';

export interface DatabaseOptions {
  readonly name: string;
  readonly pool: PoolOptions;
  readonly transactionTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  readonly slowStatementMs: number;
  readonly maxResultBytes: number;
}

export interface DatabaseEvents extends PoolEvents {
  /** A statement took longer than `slowStatementMs`; `sql` may be logged, parameters are not passed on. */
  slow(sql: string, ms: number): void;
  statement(ms: number): void;
}

interface DatabaseParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: () => Promise<Connection>;
  readonly events: DatabaseEvents;
}

/** A statement that usually takes longer has a connection to itself: in a pipeline the others would wait behind it. */
const sharesBelowMs = 2;
const internalRetries = 3;
/** Statements of a batch that is not atomic that are under way at once. */
const looselySent = 16;
const plainTransaction = {
  isolation: 'default',
  readOnly: false,
  deferrable: false,
  onAborted: () => {},
} as const;

/** One PostgreSQL database: its pool, and the ways to run statements on it. Shared by all calls. */
export class Database {
  readonly name: string;
  readonly pool: Pool<Connection>;
  readonly #profiles = new StatementProfiles();
  readonly #parts: DatabaseParts;
  #options: DatabaseOptions;

  constructor(options: DatabaseOptions, parts: DatabaseParts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    this.pool = new Pool(options.pool, { name: options.name, ...parts });
  }

  get options(): DatabaseOptions {
    return this.#options;
  }

  /** Takes new limits and times from now on; what runs goes on under the old ones. */
  configure(options: DatabaseOptions): void {
    this.#options = options;
    this.pool.resize(options.pool);
  }

  /** Runs one statement by itself. */
  async query({ sql, params }: Statement, call: Call): Promise<StatementResult> {
    const profile = this.#admit(sql);
    this.#refuseInAutocommit(profile);
    for (let attempts = 0; ;) {
      const shares = profile.reads && profile.usualMs < sharesBelowMs;
      const lending = shares ? this.pool.share(call) : this.pool.lend(call);
      const loan = lending instanceof Promise ? await lending : lending;
      const room = roomElseGiveBack(loan, call);
      if (room !== undefined) {
        await room;
        continue;
      }
      const exchange = new Exchange([{ profile, params }], this.#options.maxResultBytes);
      await this.#runOn(loan, exchange, call, profile.dirties);
      if (exchange.failure === undefined) return exchange.results[0] as StatementResult;
      attempts += 1;
      if (attempts < internalRetries && this.#ranNot(exchange, loan.connection, call)) continue;
      throw exchangeError(exchange, call, { pool: this.name, writes: !profile.reads });
    }
  }

  /** Runs statements in order in one transaction, sent together; committed when all results are there and fit. */
  async atomicBatch(
    statements: readonly Statement[],
    call: Call,
  ): Promise<readonly StatementResult[]> {
    for (const { sql } of statements) this.#admit(sql);
    const { transactionTimeoutMs } = this.#options;
    const limits = { timeoutMs: transactionTimeoutMs, idleTimeoutMs: transactionTimeoutMs };
    const transaction = this.begin({ ...plainTransaction, ...limits }, call);
    try {
      const results = await transaction.batch(statements, call);
      await transaction.commit(call);
      return results;
    } catch (error) {
      // Its failure would only repeat that the transaction has ended.
      await transaction.rollback().catch(() => {});
      throw error;
    }
  }

  /** Runs statements in order on one connection, each a transaction of its own; one that fails does not stop the next. */
  async looseBatch(
    statements: readonly Statement[],
    call: Call,
  ): Promise<readonly (StatementResult | HoldfastError)[]> {
    const steps = statements.map((statement) => this.#step(statement));
    for (const { profile } of steps) this.#refuseInAutocommit(profile);
    const loan = await this.#lend(call);
    const { connection } = loan;
    let leftBytes = this.#options.maxResultBytes;
    const exchanges = steps.map((step) => new Exchange([step], leftBytes));
    const sent: Exchange[] = [];
    const unlisten = call.onEnd(() => sent.forEach((exchange) => connection.cancel(exchange)));
    // A few at a time: what is sent can hardly be stopped any more when the call ends.
    for (let at = 0; at < exchanges.length && call.ended === undefined; at += looselySent) {
      const few = exchanges.slice(at, at + looselySent);
      for (const exchange of few) connection.submit(exchange);
      sent.push(...few);
      for (const exchange of few) {
        exchange.maxResultBytes = leftBytes; // the limit is for all results together
        await exchange.done;
        leftBytes = Math.max(0, leftBytes - exchange.resultBytes);
      }
    }
    unlisten();
    await this.#giveBack(
      loan,
      sent.at(-1),
      steps.some(({ profile }) => profile.dirties),
    );
    return exchanges.map((exchange, at) => {
      if (at >= sent.length) return call.ended ?? cancelled();
      this.#observe(exchange);
      if (isStale(exchange)) connection.forgetStatement((steps[at] as Step).profile.sql);
      if (exchange.failure === undefined) return exchange.results[0] as StatementResult;
      return exchangeError(exchange, call, {
        pool: this.name,
        writes: !(steps[at] as Step).profile.reads,
      });
    });
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
    const step = this.#step(statement);
    const { profile } = step;
    this.#refuseInAutocommit(profile);
    for (let attempt = 1; ; attempt += 1) {
      const loan = await this.pool.lend(call);
      const { exchange, handedOn } = rowStream(loan.connection, step, maxRows, onPart);
      const unlisten = call.onEnd(() => loan.connection.resume(exchange));
      await this.#runOn(loan, exchange, call, profile.dirties);
      unlisten();
      await handedOn();
      if (exchange.failure === undefined) return;
      if (attempt < internalRetries && this.#ranNot(exchange, loan.connection, call)) continue;
      throw exchangeError(exchange, call, { pool: this.name, writes: !profile.reads });
    }
  }

  /** Starts a transaction. It is usable at once: what is asked of it waits for its connection. */
  begin(options: BeginOptions, call: Call): Transaction {
    const host: TransactionHost = {
      name: this.name,
      clock: this.#parts.clock,
      maxResultBytes: this.#options.maxResultBytes,
      borrow: async (borrower) => this.pool.lend(borrower),
      step: (statement) => this.#step(statement),
      observe: (exchange) => this.#observe(exchange),
    };
    return new Transaction(host, options, call);
  }

  #step({ sql, params }: Statement): Step {
    return { profile: this.#admit(sql), params };
  }

  #admit(sql: string): StatementProfile {
    const profile = this.#profiles.of(sql);
    if (profile.refusal !== undefined) throw this.#refused(profile.refusal);
    return profile;
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  /** A connection for the caller alone, once its client has room for what comes of it. */
  async #lend(call: Call): Promise<Loan<Connection>> {
    for (;;) {
      const loan = await this.pool.lend(call);
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
    this.#observe(exchange);
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
    // Only readers have neighbours whose cancel may hit them, and only they may run twice: a procedure commits as it goes.
    return (
      exchange.failure?.fields?.['C'] === '57014' &&
      exchange.steps.every(({ profile }) => profile.reads) &&
      connection.mayHaveBeenHitByCancel(exchange)
    );
  }

  /** Keeps count of what ran, and tells of slow statements. */
  #observe(exchange: Exchange): void {
    const { events } = this.#parts;
    events.statement(exchange.tookMs);
    const single = exchange.steps.length === 1 ? exchange.steps[0] : undefined;
    if (single !== undefined && exchange.failure === undefined) {
      learn(single.profile, exchange.tookMs);
    } else for (const { profile } of exchange.steps) profile.uses += 1;
    if (exchange.tookMs < this.#options.slowStatementMs) return;
    const named =
      single ?? exchange.steps[Math.min(exchange.results.length, exchange.steps.length - 1)];
    if (named !== undefined) events.slow(named.profile.sql, exchange.tookMs);
  }

  #refuseInAutocommit({ autocommitRefusal }: StatementProfile): void {
    if (autocommitRefusal !== undefined) throw this.#refused(autocommitRefusal);
  }

  #refused(why: string): HoldfastError {
    return new HoldfastError('invalid', 'STATEMENT_REFUSED', `this statement is refused: ${why}`, {
      target: this.name,
    });
  }
}
