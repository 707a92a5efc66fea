import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { SubscribeEvent } from '../../../platform/gen/holdfast/v1/SubscribeEvent.ts';
import type { SubscribeRequest__Output } from '../../../platform/gen/holdfast/v1/SubscribeRequest.ts';
import type { StreamOperation } from '../../grpc/operation.ts';
import type { RedisTargets } from '../../redis/redis-targets.ts';
import type { Topic } from '../../redis/subscriber.ts';
import { type SubscriptionEvent, SubscriptionQueue } from '../../redis/subscription-queue.ts';

const mostTopics = 10_000;

/** Redis.Subscribe: ends with its caller, or when the sidecar stops. */
export const subscribeOperation = (
  redis: RedisTargets,
  clock: Clock,
): StreamOperation<SubscribeRequest__Output, SubscribeEvent> => ({
  name: 'Redis.Subscribe',
  target: ({ pool }) => redis.label(pool),
  handle: async ({ channels, patterns, pool }, call, send) => {
    const topics = topicsOf(channels, patterns);
    const to = redis.named(pool);
    const queue = new SubscriptionQueue({
      maxBytes: to.options.subscriberBufferBytes,
      clock,
      onGap: (reason) => redis.events(to.name).gap(reason),
    });
    const unsubscribe = await redis.subscriber(to).add(queue, topics, call);
    try {
      await send({ subscribed: {} });
      for (;;) await send(asMessage(await queue.next(call)));
    } finally {
      unsubscribe();
    }
  },
});

function topicsOf(channels: readonly Buffer[], patterns: readonly string[]): Topic[] {
  const count = channels.length + patterns.length;
  if (count === 0 || count > mostTopics) {
    throw new HoldfastError(
      'invalid',
      'INVALID_REQUEST',
      `channels and patterns have ${count} entries; at least 1, at most ${mostTopics}`,
    );
  }
  const topics = new Map<string, Topic>();
  for (const word of channels) topics.set(`c${word.toString('latin1')}`, { kind: 'channel', word });
  for (const pattern of patterns) {
    topics.set(`p${pattern}`, { kind: 'pattern', word: Buffer.from(pattern) });
  }
  return [...topics.values()];
}

function asMessage(event: SubscriptionEvent): SubscribeEvent {
  if ('message' in event) return event;
  const { reason, fromMs, toMs, dropped } = event.gap;
  return {
    gap: {
      reason: reason === 'overflow' ? 'GAP_REASON_OVERFLOW' : 'GAP_REASON_CONNECTION_LOST',
      durationMs: Math.max(0, Math.round(toMs - fromMs)),
      dropped: String(dropped),
    },
  };
}
