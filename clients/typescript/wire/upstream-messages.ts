import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Where an answer is from: the server that was called, or what its policy has in its place. */
export type AnswerSource = 'target' | 'static' | 'stale' | 'other-upstream';

/** Name and value of a header. */
export type HttpHeader = readonly [name: string, value: string];

/** holdfast.v1.UpstreamRequest. */
export interface UpstreamRequest {
  readonly target: string;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly HttpHeader[];
  readonly body: string | Uint8Array;
  readonly idempotent: boolean;
  readonly cost: number | undefined;
  readonly costKey: string;
  readonly costHeader: string;
}

/** holdfast.v1.UpstreamResponse. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: readonly HttpHeader[];
  readonly body: Buffer;
  readonly attempts: number;
  readonly source: AnswerSource;
}

const requestTag = {
  target: 0x0a,
  method: 0x12,
  path: 0x1a,
  headers: 0x22,
  body: 0x2a,
  idempotent: 0x30,
  cost: 0x39,
  costKey: 0x42,
  costHeader: 0x4a,
} as const;
const headerTag = { name: 0x0a, value: 0x12 } as const;
const responseTag = {
  status: 0x08,
  headers: 0x12,
  body: 0x1a,
  attempts: 0x20,
  source: 0x28,
} as const;
const partTag = { head: 0x0a, chunk: 0x12 } as const;

/** By number. */
const sources: readonly AnswerSource[] = ['target', 'static', 'stale', 'other-upstream'];

export function writeUpstream(writer: ByteWriter, request: UpstreamRequest): void {
  writeText(writer, requestTag.target, request.target);
  writeText(writer, requestTag.method, request.method);
  writeText(writer, requestTag.path, request.path);
  for (const [name, value] of request.headers) {
    writer.byte(requestTag.headers);
    const start = writer.begin();
    writeText(writer, headerTag.name, name);
    writeText(writer, headerTag.value, value);
    writer.finish(start);
  }
  if (request.body.length > 0) {
    writer.byte(requestTag.body);
    if (typeof request.body === 'string') writer.string(request.body);
    else writer.bytes(request.body);
  }
  if (request.idempotent) {
    writer.byte(requestTag.idempotent);
    writer.byte(1);
  }
  if (request.cost !== undefined) {
    writer.byte(requestTag.cost);
    writer.double(request.cost);
  }
  writeText(writer, requestTag.costKey, request.costKey);
  writeText(writer, requestTag.costHeader, request.costHeader);
}

function writeText(writer: ByteWriter, tag: number, text: string): void {
  if (text === '') return;
  writer.byte(tag);
  writer.string(text);
}

/** Reads a holdfast.v1.UpstreamResponse. */
export function readUpstream(reader: ByteReader, end: number): UpstreamResponse {
  let status = 0;
  const headers: HttpHeader[] = [];
  let body = Buffer.alloc(0);
  let attempts = 0;
  let source = 0;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === responseTag.status) status = reader.varint();
    else if (field === responseTag.headers) headers.push(readHeader(reader, end));
    else if (field === responseTag.body) body = readBytes(reader, end);
    else if (field === responseTag.attempts) attempts = reader.varint();
    else if (field === responseTag.source) source = reader.varint();
    else reader.skip(field, end);
  }
  return { status, headers, body, attempts, source: sources[source] ?? 'target' };
}

/** What a holdfast.v1.UpstreamPart holds; nothing for one that this client does not know. */
export function readUpstreamPart(bytes: Buffer): {
  readonly head?: UpstreamResponse;
  readonly chunk?: Buffer;
} {
  const reader = new ByteReader(bytes);
  const end = bytes.length;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === partTag.head) return { head: readUpstream(reader, reader.lengthWithin(end)) };
    if (field === partTag.chunk) return { chunk: readBytes(reader, end) };
    reader.skip(field, end);
  }
  return {};
}

function readHeader(reader: ByteReader, within: number): HttpHeader {
  const end = reader.lengthWithin(within);
  let name = '';
  let value = '';
  while (reader.at < end) {
    const field = reader.varint();
    if (field === headerTag.name) name = reader.string(end);
    else if (field === headerTag.value) value = reader.string(end);
    else reader.skip(field, end);
  }
  return [name, value];
}

/** A copy: what they stand in is used again. */
function readBytes(reader: ByteReader, end: number): Buffer<ArrayBuffer> {
  const stop = reader.lengthWithin(end);
  const bytes = Buffer.from(reader.bytes.subarray(reader.at, stop));
  reader.at = stop;
  return bytes;
}
