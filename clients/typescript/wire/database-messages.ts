import type { HoldfastError } from '../errors.ts';
import type { Parameter } from '../types/parameters.ts';
import { writeValue } from '../types/parameters.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type QueryResult, readQueryResult, type ResultFormat } from './query-result.ts';
import { type Statement, writeSql } from './statements.ts';
import { readStatus } from './status.ts';

/** holdfast.v1.QueryRequest, with what its answer needs to be decoded. */
export interface QueryRequest {
  readonly statement: Statement;
  readonly params: readonly Parameter[];
  /** Empty for `default`. */
  readonly pool: string;
  readonly idempotent: boolean;
  /** Empty for none. */
  readonly commitId: string;
  readonly format: ResultFormat;
}

/** holdfast.v1.BatchRequest. */
export interface BatchRequest {
  readonly statements: readonly {
    readonly statement: Statement;
    readonly params: readonly Parameter[];
  }[];
  readonly pool: string;
  readonly atomic: boolean;
  readonly idempotent: boolean;
  /** Empty for none. */
  readonly commitId: string;
  readonly format: ResultFormat;
}

const queryTag = { params: 0x12, pool: 0x1a, idempotent: 0x20, commitId: 0x2a } as const;
const batchTag = {
  statements: 0x0a,
  pool: 0x12,
  atomic: 0x18,
  idempotent: 0x20,
  commitId: 0x2a,
} as const;
const batchResultTag = { results: 0x0a } as const;
const statementResultTag = { result: 0x0a, error: 0x12 } as const;
const streamTag = { query: 0x0a, maxRows: 0x10 } as const;

export function writeQuery(writer: ByteWriter, request: QueryRequest): void {
  writeStatement(writer, request.statement, request.params);
  if (request.pool !== '') {
    writer.byte(queryTag.pool);
    writer.string(request.pool);
  }
  if (request.idempotent) writeTrue(writer, queryTag.idempotent);
  writeCommitId(writer, queryTag.commitId, request);
}

export const readQuery = (
  reader: ByteReader,
  end: number,
  request: QueryRequest,
  previous: QueryResult<unknown> | undefined,
): QueryResult<unknown> =>
  readQueryResult(reader, end, request.statement, request.format, previous);

export function writeBatch(writer: ByteWriter, request: BatchRequest): void {
  for (const { statement, params } of request.statements) {
    writer.byte(batchTag.statements);
    const start = writer.begin();
    writeStatement(writer, statement, params);
    writer.finish(start);
  }
  if (request.pool !== '') {
    writer.byte(batchTag.pool);
    writer.string(request.pool);
  }
  if (request.atomic) writeTrue(writer, batchTag.atomic);
  if (request.idempotent) writeTrue(writer, batchTag.idempotent);
  writeCommitId(writer, batchTag.commitId, request);
}

export type BatchOutcome = QueryResult<unknown> | HoldfastError;

/** Reads a holdfast.v1.BatchResult: an outcome for each statement, in order. */
export function readBatch(
  reader: ByteReader,
  end: number,
  request: BatchRequest,
  previous: BatchOutcome[] | undefined,
): BatchOutcome[] {
  const outcomes = previous ?? [];
  while (reader.at < end) {
    const field = reader.varint();
    if (field === batchResultTag.results) {
      outcomes.push(readOutcome(reader, reader.lengthWithin(end), request, outcomes.length));
    } else {
      reader.skip(field, end);
    }
  }
  return outcomes;
}

function readOutcome(
  reader: ByteReader,
  end: number,
  { statements, format }: BatchRequest,
  index: number,
): BatchOutcome {
  const slot = statements[index]?.statement;
  if (slot === undefined) throw new Error('malformed message: more results than statements');
  let outcome: BatchOutcome | undefined;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === statementResultTag.result) {
      outcome = readQueryResult(reader, reader.lengthWithin(end), slot, format);
    } else if (field === statementResultTag.error) {
      outcome = readStatus(reader, reader.lengthWithin(end));
    } else {
      reader.skip(field, end);
    }
  }
  if (outcome === undefined) throw new Error('malformed message: a result without an outcome');
  return outcome;
}

/** holdfast.v1.StreamRequest. */
export function writeStream(writer: ByteWriter, request: QueryRequest, maxRows: number): void {
  writer.byte(streamTag.query);
  const start = writer.begin();
  writeQuery(writer, request);
  writer.finish(start);
  if (maxRows !== 0) {
    writer.byte(streamTag.maxRows);
    writer.varint(maxRows);
  }
}

/** QueryRequest and Statement have the same numbers for `sql` and `params`. */
function writeStatement(
  writer: ByteWriter,
  statement: Statement,
  params: readonly Parameter[],
): void {
  writeSql(writer, statement);
  for (let index = 0; index < params.length; index += 1) {
    writer.byte(queryTag.params);
    writeValue(writer, params[index]);
  }
}

function writeCommitId(writer: ByteWriter, tag: number, { commitId }: { commitId: string }): void {
  if (commitId === '') return;
  writer.byte(tag);
  writer.string(commitId);
}

function writeTrue(writer: ByteWriter, tag: number): void {
  writer.byte(tag);
  writer.byte(1);
}
