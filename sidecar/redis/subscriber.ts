import { Redis } from 'ioredis';
import type { HoldfastError } from '../../platform/errors.ts';
import { connectionSettings } from './connection-settings.ts';
import type { LinkParts } from './link.ts';
import type { Caller } from './redis-backend.ts';
import { faultWord, redisUnavailable, replyError } from './reply-errors.ts';
import type { LinkOptions } from './redis-options.ts';
import type { Message } from './subscription-queue.ts';

/** Who is told of messages. */
export interface Listener {
  message(message: Message): void;
  /** The connection was away since `sinceMs` of the clock; messages may be missing from here on back. */
  lost(sinceMs: number): void;
  fail(error: HoldfastError): void;
}

/** A channel, or a pattern of channels. */
export interface Topic {
  readonly kind: 'channel' | 'pattern';
  readonly word: Buffer;
}

interface Subscribed {
  readonly topic: Topic;
  readonly listeners: Set<Listener>;
  /** When Redis has said yes. */
  readonly confirmed: Promise<unknown>;
}

interface SubscriberParts extends LinkParts {
  readonly name: string;
  /** Where to connect to; asked for each attempt. Throws when that is not known. */
  readonly place: () => LinkOptions;
}

const firstDelayMs = 50;
const longestDelayMs = 2_000;
/** Redis is asked for a sign of life so often, at least. */
const shortestPingMs = 1_000;

/**
 * The one connection of a Redis that subscribes, for all who do: a channel is subscribed to once, however many listen. It connects for the first
 * listener and goes with the last.
 *
 * States: idle → connecting → connected → lost → (again and again) connected; idle when nobody listens any more. A first connection that fails is
 * told to those who asked; after that, listeners are kept, and are told of the gap once everything is subscribed to again.
 */
export class Subscriber {
  readonly #parts: SubscriberParts;
  readonly #topics = new Map<string, Subscribed>();
  #redis: Redis | undefined;
  #connecting: Promise<Redis> | undefined;
  #lostAtMs: number | undefined;
  #fault = 'CLOSED';
  #retryAtMs = 0;
  /** What comes while it subscribes again: to be told after the gap. */
  #held: (() => void)[] | undefined;
  #closed = false;

  constructor(parts: SubscriberParts) {
    this.#parts = parts;
  }

  /** Listeners, each counted once. */
  get listeners(): number {
    return this.#everyone().size;
  }

  /** Subscribes, and resolves when all messages from now on will be told; the result ends that. Rejects when it cannot be done now. */
  async add(listener: Listener, topics: readonly Topic[], caller: Caller): Promise<() => void> {
    const remove = (): void => {
      for (const topic of topics) this.#remove(listener, topic);
      if (this.#topics.size === 0) this.#disconnect();
    };
    try {
      const redis = await this.#connected();
      if (caller.ended !== undefined) throw caller.ended;
      await Promise.all(topics.map((topic) => this.#join(redis, listener, topic)));
      if (this.#redis !== redis) throw this.#unavailable();
    } catch (thrown) {
      remove();
      throw this.#asFailure(thrown);
    }
    return remove;
  }

  /** Ends all listeners with an error, and the connection. */
  end(error: HoldfastError): void {
    const everyone = this.#everyone();
    this.#topics.clear();
    this.#disconnect();
    for (const listener of everyone) listener.fail(error);
  }

  close(): void {
    this.#closed = true;
    this.end(redisUnavailable(this.#parts.name, 'CLOSED', 1_000));
  }

  #everyone(): Set<Listener> {
    return new Set([...this.#topics.values()].flatMap(({ listeners }) => [...listeners]));
  }

  async #connected(): Promise<Redis> {
    if (this.#closed || this.#lostAtMs !== undefined) throw this.#unavailable();
    if (this.#redis !== undefined) return this.#redis;
    this.#connecting ??= this.#connect()
      .then((redis) => {
        this.#redis = redis;
        return redis;
      })
      .finally(() => {
        this.#connecting = undefined;
      });
    return this.#connecting;
  }

  /** One attempt. */
  async #connect(): Promise<Redis> {
    const place = this.#parts.place();
    const redis = new Redis({
      ...connectionSettings(place),
      retryStrategy: () => null,
      sentinelRetryStrategy: () => null,
    });
    redis.on('error', (error) => {
      this.#fault = faultWord(error);
    });
    try {
      await redis.connect();
    } catch (error) {
      this.#fault = faultWord(error) === 'CLOSED' ? this.#fault : faultWord(error);
      redis.disconnect();
      this.#parts.events.disconnected(this.#fault);
      throw error;
    }
    this.#parts.events.connected();
    redis.on('messageBuffer', (channel: Buffer, payload: Buffer) =>
      this.#tell('channel', channel, { channel, pattern: '', payload }),
    );
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, payload: Buffer) =>
      this.#tell('pattern', Buffer.from(pattern), { channel, pattern, payload }),
    );
    redis.on('close', () => this.#lose(redis));
    this.#watch(redis, Math.max(shortestPingMs, place.commandTimeoutMs));
    return redis;
  }

  #tell(kind: Topic['kind'], word: Buffer, message: Message): void {
    const tell = (): void => {
      const subscribed = this.#topics.get(keyOf({ kind, word }));
      for (const listener of subscribed?.listeners ?? []) listener.message(message);
    };
    if (this.#held === undefined) tell();
    else this.#held.push(tell);
  }

  #join(redis: Redis, listener: Listener, topic: Topic): Promise<unknown> {
    const key = keyOf(topic);
    let subscribed = this.#topics.get(key);
    if (subscribed === undefined) {
      const confirmed = subscribe(redis, topic.kind, [topic.word]);
      subscribed = { topic, listeners: new Set(), confirmed };
      this.#topics.set(key, subscribed);
    }
    subscribed.listeners.add(listener);
    return subscribed.confirmed;
  }

  #remove(listener: Listener, topic: Topic): void {
    const subscribed = this.#topics.get(keyOf(topic));
    if (subscribed === undefined || !subscribed.listeners.delete(listener)) return;
    if (subscribed.listeners.size > 0) return;
    this.#topics.delete(keyOf(topic));
    if (this.#redis !== undefined) unsubscribe(this.#redis, topic);
  }

  #disconnect(): void {
    const redis = this.#redis;
    this.#redis = undefined;
    redis?.disconnect();
  }

  /** A server that is stopped, or a way to it that is gone, says nothing; nobody may be publishing either. */
  #watch(redis: Redis, everyMs: number): void {
    this.#parts.clock.after(everyMs, () => {
      if (this.#redis !== redis && this.#held === undefined) return;
      redis.ping().then(
        () => this.#watch(redis, everyMs),
        () => {
          this.#fault = 'ETIMEDOUT';
          redis.disconnect();
          redis.stream?.destroy();
        },
      );
    });
  }

  #lose(redis: Redis): void {
    if (this.#redis !== redis) return;
    this.#redis = undefined;
    this.#parts.events.disconnected(this.#fault);
    if (this.#topics.size > 0) void this.#comeBack(this.#parts.clock.now());
  }

  /** Tries until everything is subscribed to again, or nobody listens. */
  async #comeBack(sinceMs: number): Promise<void> {
    const { clock, random } = this.#parts;
    this.#lostAtMs = sinceMs;
    for (let attempt = 0; ; attempt += 1) {
      const most = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt, 10));
      const delayMs = most / 2 + (random() * most) / 2;
      this.#retryAtMs = clock.now() + delayMs;
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
      if (this.#topics.size === 0) break;
      if (await this.#resubscribe(sinceMs)) break;
    }
    this.#lostAtMs = undefined;
  }

  async #resubscribe(sinceMs: number): Promise<boolean> {
    const held: (() => void)[] = [];
    this.#held = held;
    let redis: Redis | undefined;
    let ended = false;
    try {
      redis = await this.#connect();
      redis.once('close', () => {
        ended = true;
      });
      const topics = [...this.#topics.values()].map(({ topic }) => topic);
      for (const kind of ['channel', 'pattern'] as const) {
        const words = topics.filter((topic) => topic.kind === kind).map(({ word }) => word);
        if (words.length > 0) await subscribe(redis, kind, words);
      }
      if (ended) return false;
      for (const topic of topics) {
        if (!this.#topics.has(keyOf(topic))) unsubscribe(redis, topic);
      }
    } catch (error) {
      this.#fault = faultWord(error) === 'CLOSED' ? this.#fault : faultWord(error);
      redis?.disconnect();
      return false;
    } finally {
      this.#held = undefined;
    }
    if (this.#topics.size === 0) {
      redis.disconnect();
      return true;
    }
    this.#redis = redis;
    for (const listener of this.#everyone()) listener.lost(sinceMs);
    for (const tell of held) tell();
    return true;
  }

  #unavailable(): HoldfastError {
    const waitMs = Math.max(0, Math.ceil(this.#retryAtMs - this.#parts.clock.now())) + 20;
    return redisUnavailable(this.#parts.name, this.#fault, waitMs);
  }

  #asFailure(thrown: unknown): unknown {
    if (!(thrown instanceof Error)) return thrown;
    if (thrown.name === 'HoldfastError') return thrown;
    return thrown.name === 'ReplyError'
      ? replyError(thrown.message, this.#parts.name)
      : this.#unavailable();
  }
}

const keyOf = ({ kind, word }: Topic): string => `${kind} ${word.toString('latin1')}`;

function subscribe(redis: Redis, kind: Topic['kind'], words: readonly Buffer[]): Promise<unknown> {
  return kind === 'channel'
    ? redis.subscribe(...(words as [Buffer]))
    : redis.psubscribe(...(words.map(String) as [string]));
}

/** A connection that breaks meanwhile forgets them all. */
function unsubscribe(redis: Redis, { kind, word }: Topic): void {
  const done = kind === 'channel' ? redis.unsubscribe(word) : redis.punsubscribe(String(word));
  done.catch(() => {});
}
