import { describe, expect, test } from 'vitest';
import { cancelled, Call } from '../../platform/call.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { type Message, SubscriptionQueue } from './subscription-queue.ts';

const newCall = (): Call =>
  new Call({ scope: { onClose: () => () => {}, push: () => {} }, deadlineAtMs: Infinity });
const message = (text: string): Message => ({
  channel: Buffer.from('c'),
  pattern: '',
  payload: Buffer.from(text),
});

function open(maxBytes = 1_000) {
  const clock = new TestClock();
  const gaps: string[] = [];
  const queue = new SubscriptionQueue({ maxBytes, clock, onGap: (reason) => gaps.push(reason) });
  const call = newCall();
  const next = async (): Promise<unknown> => {
    const event = await queue.next(call);
    return 'message' in event ? event.message.payload.toString() : event.gap;
  };
  return { clock, gaps, queue, call, next };
}

describe('the messages of one subscriber', () => {
  test('come in order, also to one who waits', async () => {
    const { queue, next } = open();
    const first = next();
    queue.message(message('1'));
    queue.message(message('2'));
    expect([await first, await next()]).toEqual(['1', '2']);
  });

  test('a gap stands where the connection was lost, once', async () => {
    const { queue, next, clock, gaps } = open();
    queue.message(message('before'));
    await clock.advance(100);
    queue.lost(40);
    queue.message(message('after'));
    expect([await next(), await next(), await next()]).toEqual([
      'before',
      { reason: 'connection-lost', fromMs: 40, toMs: 100, dropped: 0 },
      'after',
    ]);
    expect(gaps).toEqual(['connection-lost']);
  });

  test('two gaps with nothing in between are one', async () => {
    const { queue, next, clock } = open();
    await clock.advance(100);
    queue.lost(40);
    await clock.advance(100);
    queue.lost(150);
    queue.message(message('after'));
    expect([await next(), await next()]).toEqual([
      { reason: 'connection-lost', fromMs: 40, toMs: 200, dropped: 0 },
      'after',
    ]);
  });

  test('more than maxBytes give way to one gap, which counts them', async () => {
    const { queue, next, gaps } = open(1_000);
    for (let number = 1; number <= 30; number += 1) queue.message(message(String(number)));
    const gap = (await next()) as { dropped: number };
    expect(gap).toMatchObject({ reason: 'overflow' });
    const rest: unknown[] = [];
    for (let number = gap.dropped + 1; number <= 30; number += 1) rest.push(await next());
    expect(rest).toEqual(rest.map((_, index) => String(gap.dropped + 1 + index)));
    expect(rest.length).toBeLessThan(8);
    expect(gaps).toEqual(['overflow']);
    queue.message(message('later'));
    expect(await next()).toBe('later');
  });

  test('one message that is too large is a gap of its own', async () => {
    const { queue, next } = open(1_000);
    queue.message(message('x'.repeat(1_000)));
    queue.message(message('small'));
    expect([await next(), await next()]).toEqual([
      expect.objectContaining({ reason: 'overflow', dropped: 1 }),
      'small',
    ]);
  });

  test('thousands are taken without keeping them', async () => {
    const { queue, next } = open(10_000_000);
    for (let number = 0; number < 5_000; number += 1) queue.message(message(String(number)));
    for (let number = 0; number < 5_000; number += 1) expect(await next()).toBe(String(number));
  });

  test('the end of the call, and a failure, end the wait', async () => {
    const { queue, call, next } = open();
    const waiting = next();
    call.end(cancelled());
    await expect(waiting).rejects.toMatchObject({ reason: 'CANCELLED' });
    const other = open();
    const failing = other.next();
    other.queue.fail(new HoldfastError('unavailable', 'DRAINING', 'over'));
    await expect(failing).rejects.toMatchObject({ reason: 'DRAINING' });
    await expect(other.next()).rejects.toMatchObject({ reason: 'DRAINING' });
    void queue;
  });
});
