import type { Clock } from '../../platform/clock.ts';
import { HoldfastError, undecodable } from './errors.ts';
import type { CallOptions } from './options.ts';
import type { ServerStreams } from './server-streams.ts';
import type { Transport } from './transport.ts';
import {
  ackEvents,
  type CommittedEvent,
  encodeSubscribeEvents,
  readCommittedEvent,
} from './wire/event-messages.ts';

export interface EventSubscription extends Omit<CallOptions, 'deadlineMs'> {
  /** Under this name the database keeps how far it has come; 1 to 100 bytes. One stream at a time has it, the newest. */
  readonly subscriber: string;
  /** Only these; all of them by default. */
  readonly topics?: readonly string[] | undefined;
  /** A subscriber that is new begins with what is committed from now on; by default with the oldest event that is kept. */
  readonly fromNow?: boolean | undefined;
}

/** An event of a loop. */
export interface ReceivedEvent extends CommittedEvent {
  /** It has been dealt with, and so has every one before it: none of them comes again. */
  ack(options?: CallOptions): Promise<void>;
}

const subscribePath = '/holdfast.v1.Events/Subscribe';
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Worth another try in a while; everything else needs somebody to do something. */
const mayPass: ReadonlySet<string> = new Set(['UNAVAILABLE', 'RESOURCE_EXHAUSTED']);

/** Events that were committed with transactions of one database. Costs nothing to make. */
export class Events {
  readonly #pool: string;
  readonly #transport: Transport;
  readonly #streams: ServerStreams;
  readonly #clock: Clock;

  constructor(pool: string, transport: Transport, streams: ServerStreams, clock: Clock) {
    this.#pool = pool;
    this.#transport = transport;
    this.#streams = streams;
    this.#clock = clock;
  }

  /**
   * Runs `handle` for one event after the other, for ever: acknowledges what it has dealt with, and subscribes again whenever the sidecar or the database was
   * away. At least once: after a break, some events come again. Resolves when the signal aborts; rejects with what `handle` throws, whose event comes again with the next
   * subscription, and with errors that last, such as `SUBSCRIBER_TAKEN`.
   */
  subscribe(
    subscription: EventSubscription,
    handle: (event: CommittedEvent) => Promise<void> | void,
  ): Promise<void>;
  /** Events as a loop takes them, on one stream: it ends with the stream's error. What is not acknowledged comes again with the next one. */
  subscribe(subscription: EventSubscription): AsyncGenerator<ReceivedEvent, void>;
  subscribe(
    subscription: EventSubscription,
    handle?: (event: CommittedEvent) => Promise<void> | void,
  ): Promise<void> | AsyncGenerator<ReceivedEvent, void> {
    return handle === undefined
      ? this.#received(subscription)
      : this.#handled(subscription, handle);
  }

  /** Everything up to the event with this cursor has been dealt with. To go back changes nothing. */
  ack(subscriber: string, cursor: number, options: CallOptions = {}): Promise<void> {
    return this.#transport.call(ackEvents, { subscriber, pool: this.#pool, cursor }, options);
  }

  async *#received({
    subscriber,
    topics = [],
    fromNow = false,
    ...options
  }: EventSubscription): AsyncGenerator<ReceivedEvent, void> {
    const request = encodeSubscribeEvents({ subscriber, pool: this.#pool, topics, fromNow });
    for await (const message of this.#streams.messages(subscribePath, request, options)) {
      const event = decoded(message);
      yield { ...event, ack: (its = {}) => this.ack(subscriber, event.cursor, its) };
    }
  }

  async #handled(
    subscription: EventSubscription,
    handle: (event: CommittedEvent) => Promise<void> | void,
  ): Promise<void> {
    const { subscriber, signal } = subscription;
    const acks = new Acknowledgements((cursor) => this.ack(subscriber, cursor));
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      try {
        for await (const event of this.#received(subscription)) {
          await handled(handle, event);
          acks.add(event.cursor);
          pauseMs = firstPauseMs;
        }
      } catch (error) {
        await acks.settled();
        if (error instanceof HandlerFailed) throw error.cause;
        if (signal?.aborted === true) return;
        if (!isPassing(error)) throw error;
      }
      await this.#clock.sleep(pauseMs, signal).catch(() => {});
      if (signal?.aborted === true) return;
    }
  }
}

/** Tells what a handler throws from what a stream ends with, which may look the same. */
class HandlerFailed extends Error {}

async function handled(
  handle: (event: CommittedEvent) => Promise<void> | void,
  event: CommittedEvent,
): Promise<void> {
  try {
    await handle(event);
  } catch (cause) {
    throw new HandlerFailed('the handler failed', { cause });
  }
}

/** Sends acknowledgements one at a time, each for all that was dealt with meanwhile. */
class Acknowledgements {
  readonly #send: (cursor: number) => Promise<void>;
  #newest = 0;
  #sent = 0;
  #sending: Promise<void> | undefined;

  constructor(send: (cursor: number) => Promise<void>) {
    this.#send = send;
  }

  add(cursor: number): void {
    this.#newest = cursor;
    this.#sending ??= this.#run();
  }

  /** Resolves when the last one is answered, or could not be sent: then its events come again. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #run(): Promise<void> {
    while (this.#sent !== this.#newest) {
      this.#sent = this.#newest;
      await this.#send(this.#sent).catch(() => {});
    }
    this.#sending = undefined;
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof HoldfastError && mayPass.has(error.code);

function decoded(message: Buffer): CommittedEvent {
  try {
    return readCommittedEvent(message);
  } catch (cause) {
    throw undecodable(cause);
  }
}
