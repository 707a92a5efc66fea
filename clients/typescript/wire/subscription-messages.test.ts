import { expect, test } from 'vitest';
import { ByteReader } from './byte-reader.ts';
import { decodeMessage, encodeMessage } from './contract.ts';
import { readPublish } from './redis-messages.ts';
import { encodeSubscribe, readEvent, type SubscriptionEvent } from './subscription-messages.ts';

const event = (
  message: Record<string, unknown>,
  asBuffers = false,
): SubscriptionEvent | undefined =>
  readEvent(Buffer.from(encodeMessage('holdfast.v1.SubscribeEvent', message)), asBuffers);

test('events read as the generated codec writes them', () => {
  expect(event({ subscribed: {} })).toEqual({ type: 'subscribed' });
  const channel = Buffer.from('c');
  const payload = Buffer.from('é');
  expect(event({ message: { channel, payload } })).toEqual({
    type: 'message',
    channel: 'c',
    pattern: undefined,
    payload: 'é',
  });
  expect(event({ message: { channel, pattern: 'c*', payload } }, true)).toEqual({
    type: 'message',
    channel: 'c',
    pattern: 'c*',
    payload,
  });
  expect(event({ message: {} })).toEqual({
    type: 'message',
    channel: '',
    pattern: undefined,
    payload: '',
  });
  expect(
    event({ gap: { reason: 'GAP_REASON_OVERFLOW', durationMs: 7, dropped: 2 ** 40 } }),
  ).toEqual({
    type: 'gap',
    reason: 'overflow',
    durationMs: 7,
    dropped: 2 ** 40,
  });
  expect(event({ gap: { reason: 'GAP_REASON_CONNECTION_LOST' } })).toEqual({
    type: 'gap',
    reason: 'connection-lost',
    durationMs: 0,
    dropped: 0,
  });
});

test('an event that is not known is passed over, and broken bytes are an error', () => {
  expect(readEvent(Buffer.from([0x7a, 1, 0]), false)).toBeUndefined();
  expect(() => readEvent(Buffer.from([0x12, 9]), false)).toThrow('too early');
});

test('a request to subscribe', () => {
  const request = { channels: ['a', Buffer.from([255])], patterns: ['p*'], pool: 'x' };
  expect(decodeMessage('holdfast.v1.SubscribeRequest', encodeSubscribe(request))).toEqual({
    channels: [Buffer.from('a'), Buffer.from([255])],
    patterns: ['p*'],
    pool: 'x',
  });
});

test('how many received a message', () => {
  for (const receivers of [0, 5, 2 ** 40]) {
    const bytes = Buffer.from(encodeMessage('holdfast.v1.PublishReply', { receivers }));
    expect(readPublish(new ByteReader(bytes), bytes.length)).toBe(receivers);
  }
});
