import type { CallOptions, CommitOptions, QueryOptions, RowOptions } from './options.ts';
import type { BatchStatement, Sql } from './sql.ts';
import type { TransactionChannel } from './transport.ts';
import type { Parameter } from './types/parameters.ts';
import { batch, fetch, query, savepoint } from './wire/operations.ts';
import type { QueryResult, Row } from './wire/query-result.ts';

/** A statement's options within a transaction; there is nothing to try again there. */
type StatementOptions = Omit<QueryOptions, 'idempotent' | 'commitId'>;

/** A mark within a transaction. */
export interface Savepoint {
  /** Forgets the mark and keeps what was done since. */
  release(options?: CallOptions): Promise<void>;
  /** Undoes what was done since; the mark stays. After a failed statement this makes the transaction usable again. */
  rollback(options?: CallOptions): Promise<void>;
}

/**
 * One transaction. Its calls run in the order in which they are made; none has to wait for the one before it. It is rolled back at the end of
 * an `await using`, by its timeouts, and when the connection to the sidecar breaks.
 */
export class Transaction implements AsyncDisposable {
  readonly #channel: TransactionChannel;
  readonly #sql: Sql;
  #isEnded = false;

  constructor(channel: TransactionChannel, sql: Sql) {
    this.#channel = channel;
    this.#sql = sql;
  }

  /** Resolves when the transaction has its connection. */
  get begun(): Promise<void> {
    return this.#channel.begun;
  }

  /** It was committed or rolled back, or failed as a whole: nothing can be run in it any more. */
  get isOver(): boolean {
    return this.#channel.isOver;
  }

  /** Its caller has ended it: what became of it was told. One that was lost meanwhile is over, but not this. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  query<R extends unknown[] = unknown[]>(
    text: string,
    params: readonly Parameter[] | undefined,
    options: StatementOptions & { readonly rowMode: 'array' },
  ): Promise<QueryResult<R>>;
  query<R = Row>(
    text: string,
    params?: readonly Parameter[],
    options?: StatementOptions,
  ): Promise<QueryResult<R>>;
  query(
    text: string,
    params: readonly Parameter[] = [],
    options: StatementOptions = {},
  ): Promise<QueryResult<unknown>> {
    return this.#channel.call(query, this.#sql.query('', text, params, options), options);
  }

  /** Runs several statements in one round trip; the first error ends it. */
  batch<R = Row>(
    statements: readonly BatchStatement[],
    options: StatementOptions = {},
  ): Promise<QueryResult<R>[]> {
    const request = this.#sql.batch('', statements, options);
    return this.#channel.call(batch, request, options) as Promise<QueryResult<R>[]>;
  }

  /** Sets a savepoint; the name is 1 to 63 bytes of any text. */
  async savepoint(name: string, options: CallOptions = {}): Promise<Savepoint> {
    const mark = (action: 'SET' | 'RELEASE' | 'ROLLBACK', its: CallOptions): Promise<void> =>
      this.#channel.call(savepoint, { action, name }, its);
    await mark('SET', options);
    return {
      release: (its = {}) => mark('RELEASE', its),
      rollback: (its = {}) => mark('ROLLBACK', its),
    };
  }

  /** Reads on from a cursor that a statement declared; 1 to 100,000 rows, 1,000 by default. Fewer than asked for mean its end. */
  fetch<R = Row>(
    cursor: string,
    maxRows = 0,
    options: CallOptions & RowOptions = {},
  ): Promise<QueryResult<R>> {
    const request = { cursor, maxRows, format: this.#sql.format(options) };
    return this.#channel.call(fetch, request, options) as Promise<QueryResult<R>>;
  }

  /**
   * Ends the transaction for good. Fails with reason `COMMIT_UNKNOWN` when nobody knows what became of it; with any other, it is rolled back.
   * Giving it up (signal, deadline) once it is sent does not stop it.
   */
  commit(options: CommitOptions = {}): Promise<void> {
    return this.#end(this.#channel.commit(options));
  }

  /** Undoes everything. Does nothing when the transaction is over. */
  rollback(options: CallOptions = {}): Promise<void> {
    return this.#end(this.#channel.rollback(options));
  }

  async #end(ending: Promise<void>): Promise<void> {
    try {
      await ending;
    } finally {
      // Given up before it was sent, it is as open as before.
      this.#isEnded ||= this.isOver;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Without a commit it is rolled back, if not by this then by the sidecar: nothing for the caller to do.
    await this.rollback().catch(() => {});
  }
}
