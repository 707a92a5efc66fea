import type { Priority } from '../../platform/call.ts';
import { varintSize, writeVarint } from '../../platform/protobuf-wire.ts';
import { StrictReader } from './strict-reader.ts';

/** ClientFrame with its request still encoded. */
export interface ClientFrame {
  readonly id: number;
  readonly traceparent: string;
  readonly deadlineMs: number;
  readonly transactionId: number;
  readonly priority: Priority;
  /** Field number of the request; 0 when the frame has none. */
  readonly field: number;
  readonly request: Buffer;
}

const empty = Buffer.alloc(0);
const priorities: readonly Priority[] = ['normal', 'high', 'normal', 'low'];
const lengthDelimited = 2;

/** More in one message are a mistake or an attack: an empty frame of two bytes becomes an object of a hundred. */
const mostFrames = 65_536;

/**
 * The frames of a ClientFrames message. Only the envelope is read here; the table of operations knows how to decode a request.
 *
 * @throws when the bytes are not a ClientFrames message.
 */
export function decodeClientFrames(bytes: Buffer): ClientFrame[] {
  const reader = new StrictReader(bytes);
  const frames: ClientFrame[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (frames.length >= mostFrames) throw new RangeError(`more than ${mostFrames} frames`);
    if (tag === ((1 << 3) | lengthDelimited)) frames.push(decodeFrame(reader));
    else reader.skipType(tag & 7);
  }
  return frames;
}

function decodeFrame(reader: StrictReader): ClientFrame {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('a frame is longer than its message');
  let id = 0;
  let traceparent = '';
  let deadlineMs = 0;
  let transactionId = 0;
  let priority: Priority = 'normal';
  let field = 0;
  let request: Buffer = empty;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const number = tag >>> 3;
    if ((tag & 7) === lengthDelimited && number > 5) {
      field = number;
      request = reader.bytes() as Buffer;
    } else if (number === 1) id = reader.uint32();
    else if (number === 2) traceparent = reader.string();
    else if (number === 3) deadlineMs = reader.uint32();
    else if (number === 4) transactionId = reader.uint32();
    else if (number === 5) priority = priorities[reader.uint32()] ?? 'normal';
    else reader.skipType(tag & 7);
  }
  if (reader.pos !== end) throw new RangeError('a field is longer than its frame');
  return { id, traceparent, deadlineMs, transactionId, priority, field, request };
}

/** An answer on its way: ServerFrame with its response encoded. */
export interface ServerFrame {
  readonly id: number;
  readonly more: boolean;
  readonly field: number;
  readonly response: Uint8Array;
}

/** Bytes that `frame` takes in a ServerFrames message. */
function frameBytes({ id, more, field, response }: ServerFrame): number {
  return (
    (id === 0 ? 0 : 1 + varintSize(id)) +
    (more ? 2 : 0) +
    varintSize(field << 3) +
    varintSize(response.length) +
    response.length
  );
}

/** A ServerFrames message. */
export function encodeServerFrames(frames: readonly ServerFrame[]): Buffer {
  let total = 0;
  for (const frame of frames) {
    const bytes = frameBytes(frame);
    total += 1 + varintSize(bytes) + bytes;
  }
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (const frame of frames) {
    out[at++] = (1 << 3) | lengthDelimited;
    at = writeVarint(out, at, frameBytes(frame));
    if (frame.id !== 0) {
      out[at++] = 1 << 3;
      at = writeVarint(out, at, frame.id);
    }
    if (frame.more) {
      out[at++] = 2 << 3;
      out[at++] = 1;
    }
    at = writeVarint(out, at, (frame.field << 3) | lengthDelimited);
    at = writeVarint(out, at, frame.response.length);
    out.set(frame.response, at);
    at += frame.response.length;
  }
  return out;
}
