import { HoldfastError } from '../../platform/errors.ts';
import type { Call } from '../../platform/call.ts';
import { outcomeOf } from '../resilience/outcome.ts';
import type { Target } from '../resilience/target.ts';
import { Autocommit } from './autocommit.ts';
import { CommitInquiry, type CommitOutcome } from './commit-inquiry.ts';
import type { Connection } from './connection.ts';
import type { Exchange, Statement, StatementResult, Step } from './exchange.ts';
import type { OutboxEvent } from './outbox.ts';
import { OutboxBell } from './outbox-bell.ts';
import { Pool } from './pool.ts';
import type { Loan } from './pool-loan.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolEvents, PoolParts } from './pool-parts.ts';
import { learn, StatementProfiles, type StatementProfile } from './statement-profile.ts';
import type { BeginOptions } from './begin-statement.ts';
import { fencedReadOnly } from './fence-check.ts';
import { loanOf } from './transaction-loan.ts';
import { Transaction } from './transaction.ts';
import type { TransactionHost } from './transaction-host.ts';

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

/** What a caller says about its work. */
export interface Safety {
  /** To run it twice does no harm. */
  readonly idempotent?: boolean;
  /** Marks the commit; of two pieces of work with the same mark at most one is committed. */
  readonly commitId?: string;
}

/** Of an atomic batch. */
interface BatchSafety extends Safety {
  /** Committed with it; 1,000 at most. */
  readonly events?: readonly OutboxEvent[];
}

interface DatabaseParts extends Omit<PoolParts<Connection>, 'name'> {
  readonly events: DatabaseEvents;
  /** What protects it. */
  readonly target: Pick<Target, 'run' | 'enter'>;
}

/** A single statement whose result was too large ran in a transaction with its mark, and that was rolled back. */
const undoneForSize = (pool: string, { reason }: HoldfastError): HoldfastError =>
  new HoldfastError(
    'exhausted',
    reason,
    'the result is larger than maxResultBytes of the pool; the statement was rolled back',
    { target: pool, metadata: { ran: 'false' } },
  );

/** Errors that say that a transaction was rolled back for the sake of another. */
const aborted: ReadonlySet<string> = new Set(['SERIALIZATION_FAILURE', 'DEADLOCK_DETECTED']);
/** Errors that say that it was lost, before or in its commit. Its mark may be barred by now: with one it is for the caller to try again. */
const lost: ReadonlySet<string> = new Set(['CONNECTION_LOST', 'TRANSACTION_ROLLED_BACK']);
const unsafe: Safety = {};
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
  readonly #autocommit: Autocommit;
  readonly #inquiry: CommitInquiry;
  readonly bell: OutboxBell;
  #options: DatabaseOptions;

  constructor(options: DatabaseOptions, parts: DatabaseParts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    this.pool = new Pool(options.pool, { name: options.name, ...parts });
    this.#autocommit = new Autocommit({
      name: options.name,
      clock: parts.clock,
      pool: this.pool,
      idleTimeoutMs: () => this.#options.idleInTransactionTimeoutMs,
      maxResultBytes: () => this.#options.maxResultBytes,
      admit: (sql) => this.#admit(sql),
      step: (statement) => this.#step(statement),
      observe: (exchange) => this.#observe(exchange),
      refused: (why) => this.#refused(why),
    });
    this.bell = new OutboxBell(parts.clock, (call) => this.pool.lend(call));
    this.#inquiry = new CommitInquiry({
      pool: options.name,
      ...parts,
      lend: (call) => this.pool.lend(call),
    });
  }

  get options(): DatabaseOptions {
    return this.#options;
  }

  /** Takes new limits and times from now on; what runs goes on under the old ones. */
  configure(options: DatabaseOptions): void {
    this.#options = options;
    this.pool.resize(options.pool);
  }

  /** Runs statements in order in one transaction, sent together; committed when all results are there and fit. Repeated where it is known to be rolled back. */
  async atomicBatch(
    statements: readonly Statement[],
    call: Call,
    safety: BatchSafety = unsafe,
  ): Promise<readonly StatementResult[]> {
    for (const { sql } of statements) this.#admit(sql);
    const { commitId, idempotent } = safety;
    return this.#parts.target.run(call, {
      run: (tried) => this.#atomically(statements, tried, safety),
      repeatable: ({ reason }) =>
        aborted.has(reason) ||
        (lost.has(reason) && commitId === undefined) ||
        (idempotent === true && reason === 'COMMIT_UNKNOWN'),
    });
  }

  async #atomically(
    statements: readonly Statement[],
    call: Call,
    { commitId, events }: BatchSafety,
  ): Promise<readonly StatementResult[]> {
    const { transactionTimeoutMs } = this.#options;
    const limits = { timeoutMs: transactionTimeoutMs, idleTimeoutMs: transactionTimeoutMs };
    const mark = commitId === undefined ? {} : { commitId };
    const options = { ...plainTransaction, ...limits, ...mark };
    const transaction = this.#begin(options, call, async (borrower) => this.pool.lend(borrower));
    try {
      const results = await transaction.batch(statements, call);
      await transaction.commit(call, events);
      return results;
    } catch (error) {
      // Its failure would only repeat that the transaction has ended. A caller whose time is up does not wait for a server that does not answer.
      const rolledBack = transaction.rollback().catch(() => {});
      await Promise.race([rolledBack, new Promise<void>((resolve) => call.onEnd(() => resolve()))]);
      throw error;
    }
  }

  /**
   * What became of the work with this commit_id, asked of the database. Work that is not committed never will be from then on. Rejects when the
   * database cannot be asked until the call's deadline.
   */
  outcome(commitId: string, call: Call): Promise<CommitOutcome> {
    return this.#inquiry.ofCommitId(commitId, call.deadlineAtMs, call);
  }

  /** Starts a transaction. It is usable at once: what is asked of it waits for its connection. */
  begin(options: BeginOptions, call: Call): Transaction {
    const isFenced = (options.fences?.length ?? 0) > 0;
    return this.#begin(options, call, (borrower) =>
      isFenced && options.readOnly
        ? Promise.reject(fencedReadOnly(this.name))
        : this.#enterAndLend(borrower),
    );
  }

  #begin(options: BeginOptions, call: Call, borrow: TransactionHost['borrow']): Transaction {
    const host: TransactionHost = {
      name: this.name,
      clock: this.#parts.clock,
      maxResultBytes: this.#options.maxResultBytes,
      borrow,
      step: (statement) => this.#step(statement),
      observe: (exchange) => this.#observe(exchange),
      hasEvents: () => this.bell.ring(),
      outcome: async (work, untilMs) => {
        if (work === undefined) return 'unknown';
        return typeof work === 'string'
          ? this.#inquiry.ofCommitId(work, untilMs).catch(() => 'unknown' as const)
          : this.#inquiry.ofTransaction(work, untilMs);
      },
    };
    return new Transaction(host, options, call);
  }

  /** A connection for a transaction, which counts as one call from here to its end. */
  async #enterAndLend(call: Call): Promise<Loan<Connection>> {
    const entry = await this.#parts.target.enter(call);
    try {
      return loanOf(await this.pool.lend(call), entry);
    } catch (thrown) {
      void entry.settle(outcomeOf(HoldfastError.from(thrown)));
      throw thrown;
    }
  }

  #step({ sql, params }: Statement): Step {
    return { profile: this.#admit(sql), params };
  }

  #admit(sql: string): StatementProfile {
    const profile = this.#profiles.of(sql);
    if (profile.refusal !== undefined) throw this.#refused(profile.refusal);
    return profile;
  }

  /** Runs one statement by itself. With a `commitId` its outcome can be asked for ever. */
  query(statement: Statement, call: Call, safety: Safety = unsafe): Promise<StatementResult> {
    if (safety.commitId === undefined) {
      try {
        const work = this.#autocommit.query(statement, safety.idempotent === true);
        return this.#parts.target.run(call, work);
      } catch (refusal) {
        return Promise.reject(HoldfastError.from(refusal));
      }
    }
    return this.atomicBatch([statement], call, safety).then(
      ([result]) => result as StatementResult,
      (error: HoldfastError) => {
        throw error.reason === 'RESULT_TOO_LARGE' ? undoneForSize(this.name, error) : error;
      },
    );
  }

  /** Runs statements in order on one connection, each a transaction of its own; one that fails does not stop the next. */
  looseBatch(
    statements: readonly Statement[],
    call: Call,
  ): Promise<readonly (StatementResult | HoldfastError)[]> {
    return this.#parts.target.run(call, {
      run: (tried) => this.#autocommit.looseBatch(statements, tried),
      repeatable: () => false,
    });
  }

  /**
   * Runs one query and hands its rows on as they are read; while `onPart` returns a promise the server stops sending. Its consumer decides how long it
   * takes: the time limits of a policy are not for it.
   */
  async stream(
    statement: Statement,
    maxRows: number,
    call: Call,
    onPart: (part: Buffer) => Promise<void>,
  ): Promise<void> {
    const entry = await this.#parts.target.enter(call);
    try {
      await this.#autocommit.stream(statement, maxRows, call, onPart);
      void entry.settle('waited');
    } catch (thrown) {
      void entry.settle(outcomeOf(HoldfastError.from(thrown)));
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.pool.close();
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
    const at = Math.min(exchange.results.length, exchange.steps.length - 1);
    const theirs = exchange.steps.filter(({ own }) => own !== true);
    const failed = exchange.failure === undefined ? undefined : exchange.steps[at];
    // The sidecar's own steps around a caller's are not what takes long.
    const named =
      (failed?.own === true ? undefined : failed) ?? theirs.at(-1) ?? exchange.steps[at];
    if (named !== undefined) events.slow(named.profile.sql, exchange.tookMs);
  }

  #refused(why: string): HoldfastError {
    return new HoldfastError('invalid', 'STATEMENT_REFUSED', `this statement is refused: ${why}`, {
      target: this.name,
    });
  }
}
