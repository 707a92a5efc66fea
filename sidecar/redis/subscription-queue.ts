import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { Caller } from './redis-backend.ts';

/** Why messages are missing. */
export type GapReason = 'connection-lost' | 'overflow';

/** A message as Redis sent it. */
export interface Message {
  readonly channel: Buffer;
  /** Empty when the channel itself is subscribed to. */
  readonly pattern: string;
  readonly payload: Buffer;
}

/** Messages are missing. */
export interface Gap {
  readonly reason: GapReason;
  /** When on the clock they may have been missed. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Messages that were there and were dropped. */
  readonly dropped: number;
}

/** What a subscriber is told, in order. */
export type SubscriptionEvent = { readonly message: Message } | { readonly gap: Gap };

interface QueueParts {
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly onGap: (reason: GapReason) => void;
}

/** What an entry costs besides its bytes, roughly. */
const entryBytes = 128;

/** The messages that wait for one subscriber, bounded in bytes: beyond that all of them give way to one gap. */
export class SubscriptionQueue {
  readonly #parts: QueueParts;
  #events: SubscriptionEvent[] = [];
  /** Events that have been taken off the front. */
  #taken = 0;
  #bytes = 0;
  #error: HoldfastError | undefined;
  #wake: (() => void) | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  message(message: Message): void {
    const bytes = sizeOf(message);
    if (this.#bytes + bytes > this.#parts.maxBytes) return this.#overflow();
    this.#bytes += bytes;
    this.#append({ message });
  }

  /** The connection was away since `fromMs` of the clock, and is back. */
  lost(fromMs: number): void {
    this.#parts.onGap('connection-lost');
    const toMs = this.#parts.clock.now();
    const last = this.#events.length > this.#taken ? this.#events.at(-1) : undefined;
    if (last !== undefined && 'gap' in last) {
      this.#events[this.#events.length - 1] = { gap: { ...last.gap, toMs } };
    } else this.#append({ gap: { reason: 'connection-lost', fromMs, toMs, dropped: 0 } });
  }

  /** Ends it: whoever waits for the next event, now or later, gets the error. */
  fail(error: HoldfastError): void {
    this.#error ??= error;
    this.#wake?.();
  }

  /** Waits for the next event. Rejects when the caller ends, or after `fail`. */
  async next(caller: Caller): Promise<SubscriptionEvent> {
    for (;;) {
      if (caller.ended !== undefined) throw caller.ended;
      if (this.#error !== undefined) throw this.#error;
      const event = this.#take();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        const off = caller.onEnd(() => resolve());
        this.#wake = () => {
          off();
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  #append(event: SubscriptionEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  #take(): SubscriptionEvent | undefined {
    const event = this.#events[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    if ('message' in event) this.#bytes -= sizeOf(event.message);
    // Shifting each time would move all of them.
    if (this.#taken === this.#events.length || this.#taken >= 1_024) {
      this.#events = this.#events.slice(this.#taken);
      this.#taken = 0;
    }
    return event;
  }

  /** All that waits gives way to one gap, and so does the message that is one too many. */
  #overflow(): void {
    const toMs = this.#parts.clock.now();
    const waiting = this.#events.slice(this.#taken);
    let fromMs = toMs;
    let dropped = 1;
    let isNew = true;
    for (const event of waiting) {
      if ('message' in event) dropped += 1;
      else {
        fromMs = Math.min(fromMs, event.gap.fromMs);
        dropped += event.gap.dropped;
        isNew &&= event.gap.reason !== 'overflow';
      }
    }
    if (isNew) this.#parts.onGap('overflow');
    this.#taken = 0;
    this.#bytes = 0;
    this.#events = [];
    this.#append({ gap: { reason: 'overflow', fromMs, toMs, dropped } });
  }
}

const sizeOf = ({ channel, pattern, payload }: Message): number =>
  channel.length + pattern.length + payload.length + entryBytes;
