import { ByteReader } from './byte-reader.ts';
import { encodeMessage } from './contract.ts';
import type { Operation } from './operations.ts';

/** An event whose transaction is committed. */
export interface CommittedEvent {
  readonly topic: string;
  readonly key: string;
  /** Counts the events of its topic and key, from 1: a repeat has the same. */
  readonly seq: number;
  /** Its place among all events of the database. */
  readonly cursor: number;
  readonly payload: Buffer;
  /** When it was written. */
  readonly at: Date;
}

/** holdfast.v1.AckRequest. */
export interface AckRequest {
  readonly subscriber: string;
  readonly pool: string;
  readonly cursor: number;
}

/** holdfast.v1.SubscribeEventsRequest. */
export interface SubscribeEventsRequest {
  readonly subscriber: string;
  readonly pool: string;
  readonly topics: readonly string[];
  readonly fromNow: boolean;
}

export const ackEvents: Operation<AckRequest, void> = {
  field: 80,
  path: '/holdfast.v1.Events/Ack',
  exempt: false,
  write: (writer, request) => writer.raw(encodeMessage('holdfast.v1.AckRequest', { ...request })),
  read: (reader, end) => {
    reader.at = end;
  },
};

export const encodeSubscribeEvents = (request: SubscribeEventsRequest): Buffer =>
  Buffer.from(encodeMessage('holdfast.v1.SubscribeEventsRequest', { ...request }));

const eventTag = {
  cursor: 0x08,
  topic: 0x12,
  key: 0x1a,
  seq: 0x20,
  payload: 0x2a,
  atUs: 0x30,
} as const;

/** Reads a holdfast.v1.Event. */
export function readCommittedEvent(bytes: Buffer): CommittedEvent {
  const reader = new ByteReader(bytes);
  const end = bytes.length;
  let cursor = 0;
  let topic = '';
  let key = '';
  let seq = 0;
  let payload = Buffer.alloc(0);
  let atUs = 0;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === eventTag.cursor) cursor = reader.uint64();
    else if (field === eventTag.topic) topic = reader.string(end);
    else if (field === eventTag.key) key = reader.string(end);
    else if (field === eventTag.seq) seq = reader.uint64();
    else if (field === eventTag.atUs) atUs = Number(reader.int64());
    else if (field === eventTag.payload) {
      const stop = reader.lengthWithin(end);
      payload = Buffer.from(bytes.subarray(reader.at, stop));
      reader.at = stop;
    } else reader.skip(field, end);
  }
  return { topic, key, seq, cursor, payload, at: new Date(Math.floor(atUs / 1_000)) };
}
