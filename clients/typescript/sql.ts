import type { CommitIdOptions, IdempotentOptions, RowOptions } from './options.ts';
import type { TypeDecoders } from './types/decoders.ts';
import type { Parameter } from './types/parameters.ts';
import type { BatchRequest, QueryRequest } from './wire/database-messages.ts';
import type { ResultFormat } from './wire/query-result.ts';
import { Statements } from './wire/statements.ts';

/** A statement of a batch. */
export interface BatchStatement {
  readonly sql: string;
  readonly params?: readonly Parameter[] | undefined;
}

/** Makes requests of SQL texts, in the same way for autocommit and transactions. One for each client. */
export class Sql {
  readonly #statements = new Statements();
  readonly #objects: ResultFormat;
  readonly #arrays: ResultFormat;

  constructor(types: TypeDecoders) {
    this.#objects = { types, rowMode: 'object' };
    this.#arrays = { types, rowMode: 'array' };
  }

  format({ rowMode }: RowOptions): ResultFormat {
    return rowMode === 'array' ? this.#arrays : this.#objects;
  }

  query(
    pool: string,
    sql: string,
    params: readonly Parameter[],
    options: RowOptions & IdempotentOptions & CommitIdOptions,
  ): QueryRequest {
    return {
      statement: this.#statements.get(sql),
      params,
      pool,
      idempotent: options.idempotent === true,
      commitId: options.commitId ?? '',
      format: this.format(options),
    };
  }

  batch(
    pool: string,
    statements: readonly BatchStatement[],
    options: RowOptions &
      IdempotentOptions &
      CommitIdOptions & { readonly atomic?: boolean | undefined },
  ): BatchRequest {
    return {
      statements: statements.map(({ sql, params }) => ({
        statement: this.#statements.get(sql),
        params: params ?? [],
      })),
      pool,
      atomic: options.atomic === true,
      idempotent: options.idempotent === true,
      commitId: options.commitId ?? '',
      format: this.format(options),
    };
  }
}
