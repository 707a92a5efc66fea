import {
  type BatchOutcome,
  type BatchRequest,
  type QueryRequest,
  readBatch,
  readQuery,
  writeBatch,
  writeQuery,
} from './database-messages.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import {
  type CommitOutcome,
  type OutcomeRequest,
  readOutcomeResult,
  writeOutcomeRequest,
} from './outcome-messages.ts';
import { type PageRequest, type PageResult, readPage, writePage } from './page-messages.ts';
import type { QueryResult } from './query-result.ts';
import {
  type CommandRequest,
  type PipelineRequest,
  type PublishRequest,
  readPipeline,
  readPublish,
  readReply,
  type RedisValue,
  type ScriptRequest,
  writeCommand,
  writePipeline,
  writePublish,
  writeScript,
} from './redis-messages.ts';
import {
  type BeginRequest,
  type CommitRequest,
  type FetchRequest,
  readFetch,
  type SavepointRequest,
  writeBegin,
  writeCommit,
  writeFetch,
  writeSavepoint,
} from './transaction-messages.ts';
import {
  readUpstream,
  type UpstreamRequest,
  type UpstreamResponse,
  writeUpstream,
} from './upstream-messages.ts';

/** Something at the sidecar that ends with the session. */
export interface Opened {
  readonly id: string;
  /** Gives it back, when nobody waits for it any more. */
  readonly undo: { readonly operation: Operation<never, unknown>; readonly request: unknown };
}

/** One ability of the sidecar as the client calls it, whichever way the call travels. */
export interface Operation<Request, Reply> {
  /** Number of the request in ClientFrame and of its answer in ServerFrame. */
  readonly field: number;
  /** Method for a call of its own. */
  readonly path?: string;
  /** Number of the request in TransactionRequest and of its answer in TransactionResponse. */
  readonly transactionField?: number;
  /** Frees what others wait for: never held back for the session's limits. */
  readonly exempt: boolean;
  write(writer: ByteWriter, request: Request): void;
  /** Reads one part of the answer; `previous` is what its earlier parts gave. */
  read(reader: ByteReader, end: number, request: Request, previous: Reply | undefined): Reply;
  /** What its answer opens at the sidecar: a permit, a lock. It ends with the session. */
  opens?(reply: Reply): Opened;
  /** Name of what it closes. */
  closes?(request: Request): string;
}

export const query: Operation<QueryRequest, QueryResult<unknown>> = {
  field: 6,
  path: '/holdfast.v1.Database/Query',
  transactionField: 2,
  exempt: false,
  write: writeQuery,
  read: readQuery,
};

export const batch: Operation<BatchRequest, BatchOutcome[]> = {
  field: 7,
  path: '/holdfast.v1.Database/Batch',
  transactionField: 3,
  exempt: false,
  write: writeBatch,
  read: readBatch,
};

export const page: Operation<PageRequest, PageResult<unknown>> = {
  field: 21,
  path: '/holdfast.v1.Database/Page',
  exempt: false,
  write: writePage,
  read: readPage,
};

export const outcome: Operation<OutcomeRequest, CommitOutcome> = {
  field: 22,
  path: '/holdfast.v1.Database/Outcome',
  exempt: false,
  write: writeOutcomeRequest,
  read: readOutcomeResult,
};

export const command: Operation<CommandRequest, RedisValue> = {
  field: 8,
  path: '/holdfast.v1.Redis/Command',
  exempt: false,
  write: writeCommand,
  read: (reader, end, { asBuffers }) => readReply(reader, end, asBuffers),
};

export const pipeline: Operation<PipelineRequest, RedisValue[]> = {
  field: 9,
  path: '/holdfast.v1.Redis/Pipeline',
  exempt: false,
  write: writePipeline,
  read: readPipeline,
};

export const script: Operation<ScriptRequest, RedisValue> = {
  field: 32,
  path: '/holdfast.v1.Redis/Script',
  exempt: false,
  write: writeScript,
  read: (reader, end, { asBuffers }) => readReply(reader, end, asBuffers),
};

export const publish: Operation<PublishRequest, number> = {
  field: 33,
  path: '/holdfast.v1.Redis/Publish',
  exempt: false,
  write: writePublish,
  read: readPublish,
};

export const upstream: Operation<UpstreamRequest, UpstreamResponse> = {
  field: 66,
  path: '/holdfast.v1.Upstream/Call',
  exempt: false,
  write: writeUpstream,
  read: readUpstream,
};

export const begin: Operation<BeginRequest, void> = {
  field: 16,
  transactionField: 1,
  exempt: false,
  write: writeBegin,
  read: nothing,
};

export const savepoint: Operation<SavepointRequest, void> = {
  field: 19,
  transactionField: 4,
  exempt: false,
  write: writeSavepoint,
  read: nothing,
};

export const fetch: Operation<FetchRequest, QueryResult<unknown>> = {
  field: 20,
  transactionField: 5,
  exempt: false,
  write: writeFetch,
  read: readFetch,
};

export const commit: Operation<CommitRequest, void> = {
  field: 17,
  transactionField: 6,
  exempt: true,
  write: writeCommit,
  read: nothing,
};

export const rollback: Operation<undefined, void> = {
  field: 18,
  transactionField: 7,
  exempt: true,
  write: nothing,
  read: nothing,
};

/** Cancels the frame whose id is the request; in sessions only. */
export const cancel: Operation<number, void> = {
  field: 15,
  exempt: true,
  write: (writer, id) => {
    writer.byte(0x08);
    writer.varint(id);
  },
  read: nothing,
};

/** For messages without fields. */
function nothing(): void {}
