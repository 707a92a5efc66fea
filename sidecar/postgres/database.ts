import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Call } from '../../platform/call.ts';
import { Autocommit } from './autocommit.ts';
import { CommitInquiry, type CommitOutcome } from './commit-inquiry.ts';
import type { Connection } from './connection.ts';
import type { Exchange, Statement, StatementResult, Step } from './exchange.ts';
import { Pool } from './pool.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolEvents } from './pool-parts.ts';
import { learn, StatementProfiles, type StatementProfile } from './statement-profile.ts';
import type { BeginOptions } from './begin-statement.ts';
import { SafeRetries } from './safe-retries.ts';
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

interface DatabaseParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: () => Promise<Connection>;
  readonly events: DatabaseEvents;
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
  readonly #retries: SafeRetries;
  readonly #autocommit: Autocommit;
  readonly #inquiry: CommitInquiry;
  #options: DatabaseOptions;

  constructor(options: DatabaseOptions, parts: DatabaseParts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    this.pool = new Pool(options.pool, { name: options.name, ...parts });
    this.#retries = new SafeRetries(parts);
    this.#autocommit = new Autocommit({
      name: options.name,
      clock: parts.clock,
      pool: this.pool,
      idleTimeoutMs: () => this.#options.idleInTransactionTimeoutMs,
      retries: this.#retries,
      maxResultBytes: () => this.#options.maxResultBytes,
      admit: (sql) => this.#admit(sql),
      step: (statement) => this.#step(statement),
      observe: (exchange) => this.#observe(exchange),
      refused: (why) => this.#refused(why),
    });
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
    safety: Safety = unsafe,
  ): Promise<readonly StatementResult[]> {
    for (const { sql } of statements) this.#admit(sql);
    this.#retries.deposit();
    /** A try whose outcome is open: whatever the next ones say, the batch may have been committed. */
    let doubt: HoldfastError | undefined;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#atomically(statements, call, safety.commitId);
      } catch (thrown) {
        const error = HoldfastError.from(thrown);
        const { reason } = error;
        if (reason === 'COMMIT_UNKNOWN') doubt = error;
        const isUndone = aborted.has(reason) || (lost.has(reason) && safety.commitId === undefined);
        const mayRepeat = isUndone || (safety.idempotent === true && reason === 'COMMIT_UNKNOWN');
        if (mayRepeat && (await this.#retries.again(tries, call))) continue;
        throw doubt ?? error;
      }
    }
  }

  async #atomically(
    statements: readonly Statement[],
    call: Call,
    commitId: string | undefined,
  ): Promise<readonly StatementResult[]> {
    const { transactionTimeoutMs } = this.#options;
    const limits = { timeoutMs: transactionTimeoutMs, idleTimeoutMs: transactionTimeoutMs };
    const mark = commitId === undefined ? {} : { commitId };
    const transaction = this.begin({ ...plainTransaction, ...limits, ...mark }, call);
    try {
      const results = await transaction.batch(statements, call);
      await transaction.commit(call);
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
    const host: TransactionHost = {
      name: this.name,
      clock: this.#parts.clock,
      maxResultBytes: this.#options.maxResultBytes,
      borrow: async (borrower) => this.pool.lend(borrower),
      step: (statement) => this.#step(statement),
      observe: (exchange) => this.#observe(exchange),
      outcome: async (work, untilMs) => {
        if (work === undefined) return 'unknown';
        return typeof work === 'string'
          ? this.#inquiry.ofCommitId(work, untilMs).catch(() => 'unknown' as const)
          : this.#inquiry.ofTransaction(work, untilMs);
      },
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

  /** Runs one statement by itself. With a `commitId` its outcome can be asked for ever. */
  query(statement: Statement, call: Call, safety: Safety = unsafe): Promise<StatementResult> {
    if (safety.commitId === undefined) {
      this.#retries.deposit();
      return this.#autocommit.query(statement, call, safety.idempotent === true);
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
    return this.#autocommit.looseBatch(statements, call);
  }

  /** Runs one query and hands its rows on as they are read; while `onPart` returns a promise the server stops sending. */
  stream(
    statement: Statement,
    maxRows: number,
    call: Call,
    onPart: (part: Buffer) => Promise<void>,
  ): Promise<void> {
    return this.#autocommit.stream(statement, maxRows, call, onPart);
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
