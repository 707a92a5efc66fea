import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Listener, Subscriber } from '../../redis/subscriber.ts';

/** What scripts tell a sidecar about a lock. */
export type LockNews =
  /** It is the turn of this waiter, as scripts write one. */
  | { readonly kind: 'woken'; readonly name: string; readonly waiter: string }
  /** Time alone may change something so soon. */
  | { readonly kind: 'look'; readonly name: string; readonly inMs: number }
  | { readonly kind: 'forced'; readonly name: string };

interface ChannelParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
  /** Throws when the policy has no such Redis. */
  readonly subscriber: () => Subscriber;
  readonly channelId: string;
  readonly onNews: (news: LockNews) => void;
  /** It has just been subscribed to, for the first time or again: what was told before may have been missed. */
  readonly onOpen: () => void;
}

const repeatMs = 500;

/** The channel on which scripts talk to this sidecar; subscribed to for as long as it lives. While it is not, the sidecar counts as gone. */
export class LockChannel {
  readonly #parts: ChannelParts;
  #remove: (() => void) | undefined;
  #stopRepeat: (() => void) | undefined;
  #closed = false;
  #opening: Promise<void>;
  #fault: HoldfastError | undefined;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.#opening = this.#open();
  }

  /** Undefined once it is subscribed to; else resolves when an attempt has ended, either way. */
  get opening(): Promise<void> | undefined {
    return this.#remove === undefined ? this.#opening : undefined;
  }

  /** Why the last attempt failed; undefined while it is subscribed to. */
  get fault(): HoldfastError | undefined {
    return this.#remove === undefined ? this.#fault : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#stopRepeat?.();
    this.#remove?.();
  }

  async #open(): Promise<void> {
    const { subscriber, channelId, clock, random, onOpen } = this.#parts;
    const word = Buffer.from(`holdfast:locks:${channelId}`);
    try {
      const caller = { ended: undefined, onEnd: () => () => {} };
      const remove = await subscriber().add(this.#listener, [{ kind: 'channel', word }], caller);
      if (this.#closed) return remove();
      this.#remove = remove;
      onOpen();
    } catch (thrown) {
      this.#fault = HoldfastError.from(thrown);
      this.#stopRepeat = clock.after(repeatMs * (0.5 + random()), () => {
        this.#opening = this.#open();
      });
    }
  }

  readonly #listener: Listener = {
    message: ({ payload }) => {
      const news = newsOf(payload);
      if (news !== undefined) this.#parts.onNews(news);
    },
    lost: () => this.#parts.onOpen(),
    fail: (error) => {
      this.#remove = undefined;
      this.#fault = error;
      if (!this.#closed) this.#opening = this.#open();
    },
  };
}

/** `w3 abc…`: a letter, the bytes of the name, the name, and what else there is. Undefined for what no script of ours has sent. */
function newsOf(payload: Buffer): LockNews | undefined {
  const space = payload.indexOf(0x20);
  const bytes = Number(payload.toString('latin1', 1, space));
  if (space < 2 || !Number.isInteger(bytes)) return undefined;
  const name = payload.toString('utf8', space + 1, space + 1 + bytes);
  const rest = payload.toString('utf8', space + 1 + bytes);
  switch (payload.toString('latin1', 0, 1)) {
    case 'w':
      return { kind: 'woken', name, waiter: rest };
    case 'n':
      return { kind: 'look', name, inMs: Number(rest) };
    case 'f':
      return { kind: 'forced', name };
    default:
      return undefined;
  }
}
