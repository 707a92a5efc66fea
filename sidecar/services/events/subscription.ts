import type { Call } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Event } from '../../../platform/gen/holdfast/v1/Event.ts';
import type { OutboxStore } from './outbox-store.ts';

/** Tells that there may be new events. It may miss some. */
export interface Wakes {
  /** The result takes it off again. */
  listen(onWake: () => void): () => void;
}

export interface SubscriptionRequest {
  readonly subscriber: string;
  readonly topics: readonly string[];
  readonly fromNow: boolean;
}

interface SubscriptionParts {
  readonly clock: Clock;
  readonly store: OutboxStore;
  readonly wakes: Wakes;
  readonly onSent: () => void;
}

/** Wakes are lost with connections, and with sidecars that die between a commit and its notification. */
const lookEveryMs = 1_000;

/**
 * Sends events as they are committed, until the call ends or a newer stream takes the subscriber over. `send` resolves when there is room for more;
 * until then nothing is read.
 */
export async function runSubscription(
  { subscriber, topics, fromNow }: SubscriptionRequest,
  call: Call,
  send: (event: Event) => Promise<void>,
  { clock, store, wakes, onSent }: SubscriptionParts,
): Promise<void> {
  const alarm = new Alarm(clock);
  const leave = wakes.listen(() => alarm.ring());
  const unlisten = call.onEnd(() => alarm.ring());
  try {
    const { epoch, cursor } = await store.subscribe(subscriber, topics, fromNow, call);
    for (let after = cursor; ;) {
      alarm.reset();
      const { events, upto, more } = await store.read(subscriber, epoch, after, call);
      for (const event of events) {
        await send(event);
        onSent();
      }
      after = upto;
      if (!more) await alarm.within(lookEveryMs);
      call.throwIfEnded();
    }
  } finally {
    unlisten();
    leave();
  }
}

/** Rings once, and keeps it in mind until it is reset. */
class Alarm {
  readonly #clock: Clock;
  #rung = false;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  reset(): void {
    this.#rung = false;
  }

  /** Resolves when it rings, or has rung since the reset, and after `mostMs` in any case. */
  within(mostMs: number): Promise<void> {
    if (this.#rung) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.#clock.after(mostMs, resolve);
      this.#wake = () => {
        stop();
        resolve();
      };
    });
  }
}
