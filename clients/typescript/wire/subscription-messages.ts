import { ByteReader } from './byte-reader.ts';
import { encodeMessage } from './contract.ts';

/** What a subscription gives, in order. */
export type SubscriptionEvent =
  /** The first one: what is published from now on arrives. */
  | { readonly type: 'subscribed' }
  | {
      readonly type: 'message';
      readonly channel: string;
      /** The pattern that it came by; undefined when the channel itself is subscribed to. */
      readonly pattern: string | undefined;
      /** A Buffer when asked for with `asBuffers`. */
      readonly payload: string | Buffer;
    }
  /** Messages may be missing here; what follows is complete again. */
  | {
      readonly type: 'gap';
      /** The sidecar had lost Redis, or this loop took its messages too slowly. */
      readonly reason: 'connection-lost' | 'overflow';
      readonly durationMs: number;
      /** Messages that were there and had to go; 0 when nobody knows. */
      readonly dropped: number;
    };

/** holdfast.v1.SubscribeRequest. */
export interface SubscribeRequest {
  readonly channels: readonly (string | Uint8Array)[];
  readonly patterns: readonly string[];
  readonly pool: string;
}

const eventTag = { subscribed: 0x0a, message: 0x12, gap: 0x1a } as const;
const messageTag = { channel: 0x0a, pattern: 0x12, payload: 0x1a } as const;
const gapTag = { reason: 0x08, durationMs: 0x10, dropped: 0x18 } as const;
const overflow = 2;

export const encodeSubscribe = ({ channels, patterns, pool }: SubscribeRequest): Buffer =>
  Buffer.from(
    encodeMessage('holdfast.v1.SubscribeRequest', {
      channels: channels.map((channel) => Buffer.from(channel)),
      patterns: [...patterns],
      pool,
    }),
  );

/** Reads a holdfast.v1.SubscribeEvent; undefined for one that this client does not know. */
export function readEvent(bytes: Buffer, asBuffers: boolean): SubscriptionEvent | undefined {
  const reader = new ByteReader(bytes);
  let event: SubscriptionEvent | undefined;
  while (reader.at < bytes.length) {
    const field = reader.varint();
    if (field === eventTag.message) {
      event = readMessage(reader, reader.lengthWithin(bytes.length), asBuffers);
    } else if (field === eventTag.gap) {
      event = readGap(reader, reader.lengthWithin(bytes.length));
    } else {
      reader.skip(field, bytes.length);
      if (field === eventTag.subscribed) event = { type: 'subscribed' };
    }
  }
  return event;
}

function readMessage(reader: ByteReader, end: number, asBuffers: boolean): SubscriptionEvent {
  let channel = '';
  let pattern: string | undefined;
  let payload = Buffer.alloc(0);
  while (reader.at < end) {
    const field = reader.varint();
    if (field === messageTag.channel) channel = reader.string(end);
    else if (field === messageTag.pattern) pattern = reader.string(end) || undefined;
    else if (field === messageTag.payload) {
      const stop = reader.lengthWithin(end);
      payload = Buffer.from(reader.bytes.subarray(reader.at, stop));
      reader.at = stop;
    } else reader.skip(field, end);
  }
  return { type: 'message', channel, pattern, payload: asBuffers ? payload : payload.toString() };
}

function readGap(reader: ByteReader, end: number): SubscriptionEvent {
  let reason = 0;
  let durationMs = 0;
  let dropped = 0;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === gapTag.reason) reason = reader.varint();
    else if (field === gapTag.durationMs) durationMs = reader.varint();
    else if (field === gapTag.dropped) dropped = reader.uint64();
    else reader.skip(field, end);
  }
  return {
    type: 'gap',
    reason: reason === overflow ? 'overflow' : 'connection-lost',
    durationMs,
    dropped,
  };
}
