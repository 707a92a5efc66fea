import type { HoldfastError } from './errors.ts';
import type {
  BatchOptions,
  BeginOptions,
  CallOptions,
  QueryOptions,
  RowOptions,
  StreamOptions,
} from './options.ts';
import { rowStream } from './row-stream.ts';
import type { ServerStreams } from './server-streams.ts';
import type { BatchStatement, Sql } from './sql.ts';
import { Transaction } from './transaction.ts';
import type { Transport } from './transport.ts';
import type { Parameter } from './types/parameters.ts';
import { batch, outcome, page, query } from './wire/operations.ts';
import type { CommitOutcome } from './wire/outcome-messages.ts';
import type { PageQuery, PageResult } from './wire/page-messages.ts';
import type { QueryResult, Row } from './wire/query-result.ts';

interface Parts {
  readonly transport: Transport;
  readonly streams: ServerStreams;
  readonly sql: Sql;
}

/** One pool of PostgreSQL connections. Costs nothing to make; share it or not. */
export class Database {
  readonly #pool: string;
  readonly #transport: Transport;
  readonly #streams: ServerStreams;
  readonly #sql: Sql;

  constructor(pool: string, { transport, streams, sql }: Parts) {
    this.#pool = pool;
    this.#transport = transport;
    this.#streams = streams;
    this.#sql = sql;
  }

  /** Runs one statement in a transaction of its own. */
  query<R extends unknown[] = unknown[]>(
    text: string,
    params: readonly Parameter[] | undefined,
    options: QueryOptions & { readonly rowMode: 'array' },
  ): Promise<QueryResult<R>>;
  query<R = Row>(
    text: string,
    params?: readonly Parameter[],
    options?: QueryOptions,
  ): Promise<QueryResult<R>>;
  query(
    text: string,
    params: readonly Parameter[] = [],
    options: QueryOptions = {},
  ): Promise<QueryResult<unknown>> {
    return this.#transport.call(query, this.#sql.query(this.#pool, text, params, options), options);
  }

  /**
   * Runs up to 1,000 statements on one connection in one round trip. Atomic, the first error fails the call; otherwise the outcome of a
   * statement that failed is its error.
   */
  batch<R = Row>(
    statements: readonly BatchStatement[],
    options: BatchOptions & { readonly atomic: true },
  ): Promise<QueryResult<R>[]>;
  batch<R = Row>(
    statements: readonly BatchStatement[],
    options?: BatchOptions,
  ): Promise<(QueryResult<R> | HoldfastError)[]>;
  batch(
    statements: readonly BatchStatement[],
    options: BatchOptions = {},
  ): Promise<(QueryResult<unknown> | HoldfastError)[]> {
    return this.#transport.call(batch, this.#sql.batch(this.#pool, statements, options), options);
  }

  /**
   * Runs one query and gives its rows as they are read, no faster than they are taken. It has no deadline unless it is given one. Leaving the
   * loop ends the query.
   */
  stream<R extends unknown[] = unknown[]>(
    text: string,
    params: readonly Parameter[] | undefined,
    options: StreamOptions & { readonly rowMode: 'array' },
  ): AsyncIterableIterator<R>;
  stream<R = Row>(
    text: string,
    params?: readonly Parameter[],
    options?: StreamOptions,
  ): AsyncIterableIterator<R>;
  stream(
    text: string,
    params: readonly Parameter[] = [],
    options: StreamOptions = {},
  ): AsyncIterableIterator<unknown> {
    const request = this.#sql.query(this.#pool, text, params, options);
    return rowStream(this.#streams, request, options);
  }

  /** Starts a transaction; resolves when it has its connection. `await using` rolls it back unless it was committed. */
  async begin(options: BeginOptions = {}): Promise<Transaction> {
    const transaction = this.beginPipelined(options);
    await transaction.begun;
    return transaction;
  }

  /**
   * The same without waiting: statements may follow at once and travel together with the Begin. If that fails, so do they, and none of them
   * has run.
   */
  beginPipelined(options: BeginOptions = {}): Transaction {
    return new Transaction(this.#transport.begin(this.#pool, options), this.#sql);
  }

  /** Runs `work` in a transaction: committed when it returns, rolled back when it throws. */
  async transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    options: BeginOptions = {},
  ): Promise<T> {
    await using transaction = this.beginPipelined(options);
    const result = await work(transaction);
    // One that was lost meanwhile fails here, and says why.
    if (!transaction.isEnded) await transaction.commit();
    return result;
  }

  /**
   * What became of the work that was given this commit_id: asked of the database itself, so a crash of anybody does not matter. Work that is not
   * committed when this is asked never will be. Waits for work that is still open.
   */
  outcome(commitId: string, options: CallOptions = {}): Promise<CommitOutcome> {
    return this.#transport.call(outcome, { pool: this.#pool, commitId }, options);
  }

  /** One page of a table or view, with filters and order; no text of it ever becomes SQL. */
  page<R = Row>(
    pageQuery: PageQuery,
    options: CallOptions & RowOptions = {},
  ): Promise<PageResult<R>> {
    const request = { ...pageQuery, pool: this.#pool, format: this.#sql.format(options) };
    return this.#transport.call(page, request, options) as Promise<PageResult<R>>;
  }
}
