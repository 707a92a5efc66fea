import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { Link, type LinkEvents } from './link.ts';
import type { PendingCommand } from './pending-command.ts';
import { redisUnavailable, tooManyInFlight } from './reply-errors.ts';
import type { RedisOptions } from './redis-options.ts';

interface RedisPoolParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of reconnects. */
  readonly random: () => number;
  readonly events: LinkEvents;
}

/** A connection whose oldest command waits for longer is held up by something. */
const promptMs = 2;

/** Who calls, as far as a wait has to know. */
interface Caller {
  onEnd(listener: (reason: HoldfastError) => void): () => void;
}

/** One Redis: the connections that all callers share. */
export class RedisPool {
  readonly options: RedisOptions;
  readonly #links: readonly Link[];
  readonly #clock: Clock;
  /** While the very first attempts to connect last. */
  #opening: Promise<void> | undefined;
  #current: Link | undefined;

  constructor(options: RedisOptions, parts: RedisPoolParts) {
    this.options = options;
    this.#clock = parts.clock;
    this.#links = Array.from({ length: options.connections }, () => new Link(options, parts));
  }

  /** Starts to connect. Resolves when the first attempts have ended, either way, or after `commandTimeoutMs`. */
  open(): Promise<void> {
    const attempts = Promise.all(this.#links.map((link) => link.open()));
    const opening = new Promise<void>((resolve) => {
      const stop = this.#clock.after(this.options.commandTimeoutMs, resolve);
      void attempts.then(() => {
        stop();
        resolve();
      });
    });
    this.#opening = opening.finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  get name(): string {
    return this.options.name;
  }

  get readyConnections(): number {
    return this.#links.filter(({ ready }) => ready).length;
  }

  /** Commands without an answer. */
  get inFlight(): number {
    let sum = 0;
    for (const { underWay } of this.#links) sum += underWay;
    return sum;
  }

  /** Sends commands on one connection, one behind the other. Throws when they cannot be sent at all. */
  send(commands: readonly PendingCommand[]): void {
    const link = this.#pick();
    const { inFlight } = this;
    if (inFlight + commands.length > this.options.maxInFlight) {
      throw tooManyInFlight(this.name, inFlight);
    }
    for (const command of commands) link.send(command);
  }

  /**
   * What to wait for before `send`, at the very start only: a caller who is early should not fail for it. Later, with Redis down, everybody fails
   * at once. Rejects when the caller gives up.
   */
  opening(caller: Caller): Promise<void> | undefined {
    const opening = this.#opening;
    if (opening === undefined || this.readyConnections > 0) return undefined;
    return new Promise((resolve, reject) => {
      const off = caller.onEnd(reject);
      void opening.then(() => {
        off();
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  /**
   * One connection for all commands of a turn, so that they share a write; and turn after turn the same one, so that they share reads too, as
   * long as it answers promptly. Behind a large or slow answer the next one steps in.
   */
  #pick(): Link {
    const current = this.#current;
    if (current !== undefined && current.collecting && current.ready) return current;
    const nowMs = this.#clock.now();
    let best: Link | undefined;
    for (const link of this.#links) {
      if (!link.ready) continue;
      if (link.oldestMs(nowMs) < promptMs) {
        best = link;
        break;
      }
      if (best === undefined || link.underWay < best.underWay) best = link;
    }
    this.#current = best;
    return best ?? this.#refuse();
  }

  #refuse(): never {
    const [link] = this.#links;
    throw redisUnavailable(this.name, link?.fault ?? 'CLOSED', link?.retryAfterMs ?? 1_000);
  }
}
