import type { CallOptions } from '../options.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Operation } from './operations.ts';

// Fields of holdfast.v1.ClientFrames, ClientFrame, ServerFrames and ServerFrame.
const framesTag = 0x0a;
const clientTag = {
  id: 0x08,
  traceparent: 0x12,
  deadlineMs: 0x18,
  transactionId: 0x20,
  priority: 0x28,
} as const;
const serverTag = { id: 0x08, more: 0x10 } as const;

/** Field numbers of ServerFrame's `response` that answer no request. */
export const serverField = {
  error: 3,
  info: 4,
  transactionEnded: 5,
  draining: 12,
  lockLost: 13,
} as const;

const priorities = { high: 1, normal: 2, low: 3 } as const;
const maxUint32 = 0xffff_ffff;
const lengthDelimited = 2;

/** What a ClientFrame needs to know of its call. */
export interface FramedCall {
  readonly operation: Pick<Operation<never, unknown>, 'field' | 'write'>;
  readonly request: unknown;
  /** The request, when it has been encoded already. */
  readonly body: Uint8Array | undefined;
  /** For priority and trace context. */
  readonly options: CallOptions;
}

/** Writes one ClientFrame of a ClientFrames message. `deadlineMs` is the time left; Infinity leaves it to the pool. */
export function writeFrame(
  writer: ByteWriter,
  id: number,
  transactionId: number,
  deadlineMs: number,
  call: FramedCall,
): void {
  writer.byte(framesTag);
  const frame = writer.begin();
  writer.byte(clientTag.id);
  writer.varint(id);
  const { traceparent, priority } = call.options;
  if (traceparent !== undefined && traceparent !== '') {
    writer.byte(clientTag.traceparent);
    writer.string(traceparent);
  }
  if (deadlineMs !== Infinity) {
    writer.byte(clientTag.deadlineMs);
    // 0 would mean the pool's default.
    writer.varint(Math.min(maxUint32, Math.max(1, Math.ceil(deadlineMs))));
  }
  if (transactionId !== 0) {
    writer.byte(clientTag.transactionId);
    writer.varint(transactionId);
  }
  if (priority !== undefined) {
    writer.byte(clientTag.priority);
    writer.byte(priorities[priority]);
  }
  writer.varint((call.operation.field << 3) | lengthDelimited);
  const request = writer.begin();
  if (call.body === undefined) call.operation.write(writer, call.request as never);
  else writer.raw(call.body);
  writer.finish(request);
  writer.finish(frame);
}

export interface FrameReceiver {
  /** One ServerFrame. The response lies between `reader.at` and `end`; `field` is 0 when there is none that is known. */
  onFrame(id: number, more: boolean, field: number, reader: ByteReader, end: number): void;
}

/** Takes a ServerFrames message apart. Throws when it is malformed; errors of the receiver pass through. */
export function readServerFrames(message: Buffer, receiver: FrameReceiver): void {
  const reader = new ByteReader(message);
  const size = message.length;
  while (reader.at < size) {
    const tag = reader.varint();
    if (tag === framesTag) readFrame(reader, reader.lengthWithin(size), receiver);
    else reader.skip(tag, size);
  }
}

function readFrame(reader: ByteReader, end: number, receiver: FrameReceiver): void {
  let id = 0;
  let more = false;
  let field = 0;
  let start = 0;
  let stop = 0;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === serverTag.id) {
      id = reader.varint();
    } else if (tag === serverTag.more) {
      more = reader.varint() !== 0;
    } else if ((tag & 7) === lengthDelimited) {
      field = tag >>> 3;
      stop = reader.lengthWithin(end);
      start = reader.at;
      reader.at = stop;
    } else {
      reader.skip(tag, end);
    }
  }
  reader.at = start;
  receiver.onFrame(id, more, field, reader, stop);
  reader.at = end;
}
