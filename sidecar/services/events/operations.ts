import type { Call } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Acked } from '../../../platform/gen/holdfast/v1/Acked.ts';
import type { AckRequest__Output } from '../../../platform/gen/holdfast/v1/AckRequest.ts';
import type { Event } from '../../../platform/gen/holdfast/v1/Event.ts';
import type { SubscribeEventsRequest__Output } from '../../../platform/gen/holdfast/v1/SubscribeEventsRequest.ts';
import type { Operation, OperationTable, StreamOperation } from '../../grpc/operation.ts';
import type { EventMetrics } from './event-metrics.ts';
import { OutboxStore, type OutboxDatabase } from './outbox-store.ts';
import { runSubscription, type Wakes } from './subscription.ts';

/** Pools by name. */
export interface OutboxDatabases {
  /** Throws UNKNOWN_POOL. Its events are looked after from now on. */
  named(pool: string): OutboxDatabase;
  label(pool: string): string;
}

interface EventParts {
  readonly clock: Clock;
  readonly databases: OutboxDatabases;
  readonly wakes: (pool: string) => Wakes;
  readonly events: EventMetrics;
}

const mostNameBytes = 100;
const mostTopics = 1_000;
const mostTopicBytes = 200;
const mostCursor = 2n ** 63n - 1n;

interface EventOperations extends Pick<OperationTable, 'unary' | 'streams'> {
  /** Subscriptions have no end of their own: ends all there are. */
  endSubscriptions(reason: HoldfastError): void;
}

/** Everything of service Events. */
export function eventOperations({ clock, databases, wakes, events }: EventParts): EventOperations {
  const open = new Set<Call>();

  const subscribe: StreamOperation<SubscribeEventsRequest__Output, Event> = {
    name: 'Events.Subscribe',
    target: ({ pool }) => databases.label(pool),
    handle: async ({ subscriber, pool, topics, fromNow }, call, send) => {
      checkName(subscriber);
      checkTopics(topics);
      const database = databases.named(pool);
      const { name } = database;
      open.add(call);
      const left = events.joined(name);
      try {
        await runSubscription({ subscriber, topics, fromNow }, call, send, {
          clock,
          store: new OutboxStore(database),
          wakes: wakes(name),
          onSent: () => events.sent(name),
        });
      } finally {
        open.delete(call);
        left();
      }
    },
  };

  const ack: Operation<AckRequest__Output, Acked> = {
    name: 'Events.Ack',
    frame: 'ackEvents',
    target: ({ pool }) => databases.label(pool),
    handle: async ({ subscriber, pool, cursor }, call) => {
      checkName(subscriber);
      if (BigInt(cursor) > mostCursor) throw neverSent();
      const store = new OutboxStore(databases.named(pool));
      const outcome = await store.ack(subscriber, cursor, call);
      if (outcome === 'acked') return {};
      throw outcome === 'not sent' ? neverSent() : unknownSubscriber();
    },
  };

  return {
    unary: [ack],
    streams: [subscribe],
    endSubscriptions: (reason) => {
      for (const call of open) call.end(reason);
    },
  };
}

function checkName(subscriber: string): void {
  const bytes = Buffer.byteLength(subscriber);
  if (bytes > 0 && bytes <= mostNameBytes && !subscriber.includes('\0')) return;
  throw invalid(`subscriber has ${bytes} bytes; 1 to ${mostNameBytes}, none of them 0`);
}

function checkTopics(topics: readonly string[]): void {
  if (topics.length > mostTopics) {
    throw invalid(`topics has ${topics.length} entries; at most ${mostTopics}`);
  }
  for (const topic of topics) {
    const bytes = Buffer.byteLength(topic);
    if (bytes > 0 && bytes <= mostTopicBytes && !topic.includes('\0')) continue;
    throw invalid(`a topic has ${bytes} bytes; 1 to ${mostTopicBytes}, none of them 0`);
  }
}

const neverSent = (): HoldfastError =>
  invalid('cursor is beyond everything that this subscriber was sent');

const unknownSubscriber = (): HoldfastError =>
  invalid('no subscriber has this name: the first Subscribe makes it');

const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);
