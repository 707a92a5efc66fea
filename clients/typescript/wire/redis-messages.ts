import { HoldfastError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readStatus } from './status.ts';

/** A command's name or argument. Numbers and bigints are sent as their decimal text. */
export type RedisArgument = string | number | bigint | Uint8Array;

/**
 * What Redis answered. Strings of bytes are `string` (UTF-8) or `Buffer`, as asked for; integers beyond 2^53 are bigint; an error inside an
 * array is a HoldfastError in its place.
 */
export type RedisValue = null | number | bigint | string | Buffer | HoldfastError | RedisValue[];

/** holdfast.v1.CommandRequest. */
export interface CommandRequest {
  readonly args: readonly RedisArgument[];
  readonly pool: string;
  readonly idempotent: boolean;
  /** Strings of bytes stay bytes. */
  readonly asBuffers: boolean;
}

/** holdfast.v1.PipelineRequest. */
export interface PipelineRequest {
  readonly commands: readonly (readonly RedisArgument[])[];
  readonly pool: string;
  readonly idempotent: boolean;
  readonly atomic: boolean;
  readonly asBuffers: boolean;
}

/** holdfast.v1.ScriptRequest. */
export interface ScriptRequest {
  readonly body: string;
  readonly keys: readonly RedisArgument[];
  readonly args: readonly RedisArgument[];
  readonly pool: string;
  readonly operationId: string;
  readonly idempotent: boolean;
  readonly asBuffers: boolean;
}

/** holdfast.v1.PublishRequest. */
export interface PublishRequest {
  readonly channel: RedisArgument;
  readonly message: RedisArgument;
  readonly pool: string;
  readonly sharded: boolean;
}

// CommandRequest and PipelineRequest have the same numbers.
const requestTag = {
  args: 0x0a,
  commands: 0x0a,
  pool: 0x12,
  idempotent: 0x18,
  atomic: 0x20,
} as const;
const scriptTag = {
  body: 0x0a,
  keys: 0x12,
  args: 0x1a,
  pool: 0x22,
  operationId: 0x2a,
  idempotent: 0x30,
} as const;
const publishTag = { channel: 0x0a, message: 0x12, pool: 0x1a, sharded: 0x20 } as const;
const receiversTag = 0x08;
const replyTag = { null: 0x08, integer: 0x10, bytes: 0x1a, array: 0x22, error: 0x2a } as const;
const itemsTag = 0x0a;
const outcomesTag = 0x0a;
const outcomeTag = { reply: 0x0a, error: 0x12 } as const;

export function writeCommand(writer: ByteWriter, request: CommandRequest): void {
  writeArguments(writer, request.args);
  writeTail(writer, request);
}

export function writePipeline(writer: ByteWriter, request: PipelineRequest): void {
  for (const command of request.commands) {
    writer.byte(requestTag.commands);
    const start = writer.begin();
    writeArguments(writer, command);
    writer.finish(start);
  }
  writeTail(writer, request);
  writeFlag(writer, requestTag.atomic, request.atomic);
}

export function writeScript(writer: ByteWriter, request: ScriptRequest): void {
  writer.byte(scriptTag.body);
  writer.string(request.body);
  writeArguments(writer, request.keys, scriptTag.keys);
  writeArguments(writer, request.args, scriptTag.args);
  writeText(writer, scriptTag.pool, request.pool);
  writeText(writer, scriptTag.operationId, request.operationId);
  writeFlag(writer, scriptTag.idempotent, request.idempotent);
}

export function writePublish(writer: ByteWriter, request: PublishRequest): void {
  writeArguments(writer, [request.channel], publishTag.channel);
  writeArguments(writer, [request.message], publishTag.message);
  writeText(writer, publishTag.pool, request.pool);
  writeFlag(writer, publishTag.sharded, request.sharded);
}

function writeArguments(
  writer: ByteWriter,
  args: readonly RedisArgument[],
  tag: number = requestTag.args,
): void {
  for (const arg of args) {
    writer.byte(tag);
    if (typeof arg === 'string') writer.string(arg);
    else if (arg instanceof Uint8Array) writer.bytes(arg);
    else if (typeof arg === 'number' || typeof arg === 'bigint') writer.string(String(arg));
    else throw HoldfastError.invalid('a Redis argument is a string, a number, a bigint or bytes');
  }
}

function writeText(writer: ByteWriter, tag: number, text: string): void {
  if (text === '') return;
  writer.byte(tag);
  writer.string(text);
}

function writeFlag(writer: ByteWriter, tag: number, flag: boolean): void {
  if (!flag) return;
  writer.byte(tag);
  writer.byte(1);
}

function writeTail(writer: ByteWriter, request: { pool: string; idempotent: boolean }): void {
  writeText(writer, requestTag.pool, request.pool);
  writeFlag(writer, requestTag.idempotent, request.idempotent);
}

/** Reads a holdfast.v1.PublishReply: how many received the message. */
export function readPublish(reader: ByteReader, end: number): number {
  let receivers = 0;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === receiversTag) receivers = reader.uint64();
    else reader.skip(field, end);
  }
  return receivers;
}

/** Reads a holdfast.v1.RedisReply. */
export function readReply(reader: ByteReader, end: number, asBuffers: boolean): RedisValue {
  let value: RedisValue = null;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === replyTag.bytes) {
      const stop = reader.lengthWithin(end);
      value = asBuffers
        ? Buffer.from(reader.bytes.subarray(reader.at, stop))
        : reader.bytes.toString('utf8', reader.at, stop);
      reader.at = stop;
    } else if (field === replyTag.integer) {
      value = reader.int64();
    } else if (field === replyTag.array) {
      value = readItems(reader, reader.lengthWithin(end), asBuffers);
    } else if (field === replyTag.error) {
      value = new HoldfastError('UNKNOWN', 'REDIS_ERROR', reader.string(end));
    } else {
      reader.skip(field, end);
      value = null;
    }
  }
  return value;
}

function readItems(reader: ByteReader, end: number, asBuffers: boolean): RedisValue[] {
  const items: RedisValue[] = [];
  while (reader.at < end) {
    const field = reader.varint();
    if (field === itemsTag) items.push(readReply(reader, reader.lengthWithin(end), asBuffers));
    else reader.skip(field, end);
  }
  return items;
}

/** Reads a holdfast.v1.PipelineReply: for each command, in order, its reply or its error. */
export function readPipeline(
  reader: ByteReader,
  end: number,
  request: PipelineRequest,
  previous: RedisValue[] | undefined,
): RedisValue[] {
  const outcomes = previous ?? [];
  while (reader.at < end) {
    const field = reader.varint();
    if (field === outcomesTag) {
      outcomes.push(readOutcome(reader, reader.lengthWithin(end), request.asBuffers));
    } else {
      reader.skip(field, end);
    }
  }
  return outcomes;
}

function readOutcome(reader: ByteReader, end: number, asBuffers: boolean): RedisValue {
  let value: RedisValue = null;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === outcomeTag.reply) value = readReply(reader, reader.lengthWithin(end), asBuffers);
    else if (field === outcomeTag.error) value = readStatus(reader, reader.lengthWithin(end));
    else reader.skip(field, end);
  }
  return value;
}
