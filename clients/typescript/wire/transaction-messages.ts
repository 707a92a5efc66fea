import { HoldfastError } from '../errors.ts';
import type { BeginOptions, OutboxEvent } from '../options.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { encodeMessage } from './contract.ts';
import { type QueryResult, readQueryResult, type ResultFormat } from './query-result.ts';
import { emptySlot } from './shape.ts';
import { wholeNumber } from './whole-number.ts';

/** holdfast.v1.Begin. */
export interface BeginRequest extends BeginOptions {
  readonly pool: string;
}

/** holdfast.v1.Commit. */
export interface CommitRequest {
  readonly events?: readonly OutboxEvent[] | undefined;
}

/** holdfast.v1.Savepoint. */
export interface SavepointRequest {
  readonly action: 'SET' | 'RELEASE' | 'ROLLBACK';
  readonly name: string;
}

/** holdfast.v1.Fetch. */
export interface FetchRequest {
  readonly cursor: string;
  readonly maxRows: number;
  readonly format: ResultFormat;
}

const isolations = {
  'read committed': 'ISOLATION_READ_COMMITTED',
  'repeatable read': 'ISOLATION_REPEATABLE_READ',
  serializable: 'ISOLATION_SERIALIZABLE',
} as const;

export function writeBegin(writer: ByteWriter, request: BeginRequest): void {
  const { pool, isolation, readOnly, deferrable, timeoutMs, idleTimeoutMs, commitId } = request;
  const locks = request.locks?.map(({ leaseId }) => leaseId);
  const asked =
    isolation ?? readOnly ?? deferrable ?? timeoutMs ?? idleTimeoutMs ?? commitId ?? locks;
  if (pool === '' && asked === undefined) return;
  if (isolation !== undefined && !Object.hasOwn(isolations, isolation)) {
    throw HoldfastError.invalid('an isolation level is one of those that PostgreSQL has');
  }
  writer.raw(
    encodeMessage('holdfast.v1.Begin', {
      pool: pool === '' ? undefined : pool,
      isolation: isolation === undefined ? undefined : isolations[isolation],
      readOnly,
      deferrable,
      timeoutMs: wholeNumber('timeoutMs', timeoutMs),
      idleTimeoutMs: wholeNumber('idleTimeoutMs', idleTimeoutMs),
      commitId,
      locks,
    }),
  );
}

/** Fields of holdfast.v1.OutboxEvent. */
const eventTag = { topic: 0x0a, key: 0x12, payload: 0x1a } as const;
const eventsTag = 0x0a;

export function writeCommit(writer: ByteWriter, { events = [] }: CommitRequest): void {
  for (const { topic, key = '', payload = '' } of events) {
    writer.byte(eventsTag);
    const start = writer.begin();
    writer.byte(eventTag.topic);
    writer.string(topic);
    if (key !== '') {
      writer.byte(eventTag.key);
      writer.string(key);
    }
    if (payload.length > 0) {
      writer.byte(eventTag.payload);
      if (typeof payload === 'string') writer.string(payload);
      else writer.bytes(payload);
    }
    writer.finish(start);
  }
}

export function writeSavepoint(writer: ByteWriter, { action, name }: SavepointRequest): void {
  writer.raw(encodeMessage('holdfast.v1.Savepoint', { action: `ACTION_${action}`, name }));
}

export function writeFetch(writer: ByteWriter, { cursor, maxRows }: FetchRequest): void {
  writer.raw(
    encodeMessage('holdfast.v1.Fetch', { cursor, maxRows: wholeNumber('maxRows', maxRows) }),
  );
}

export const readFetch = (
  reader: ByteReader,
  end: number,
  request: FetchRequest,
  previous: QueryResult<unknown> | undefined,
): QueryResult<unknown> => readQueryResult(reader, end, emptySlot(), request.format, previous);
