import type { Clock } from '../../platform/clock.ts';
import { BlockingConnections } from './blocking-connections.ts';
import { Link, type LinkParts } from './link.ts';
import type { PendingCommand } from './pending-command.ts';
import type { Caller, Lane, LoneCommand, RedisBackend } from './redis-backend.ts';
import { redisUnavailable, replyError, tooManyInFlight } from './reply-errors.ts';
import type { LinkOptions, RedisOptions } from './redis-options.ts';
import type { Reply } from './reply.ts';

/** A connection whose oldest command waits for longer is held up by something. */
const promptMs = 2;

/** One Redis server, or the master of a Sentinel: the connections that all callers share, one for scripts, and some that block. */
export class RedisPool implements RedisBackend {
  readonly options: RedisOptions;
  readonly #parts: LinkParts;
  readonly #links: readonly Link[];
  readonly #clock: Clock;
  readonly #blocking: BlockingConnections;
  /** Made for the first script. */
  #scripts: Link | undefined;
  /** While the very first attempts to connect last. */
  #opening: Promise<void> | undefined;
  #scriptsOpening: Promise<void> | undefined;
  #current: Link | undefined;
  #closed = false;

  constructor(options: RedisOptions, parts: LinkParts) {
    this.options = options;
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#links = Array.from({ length: options.connections }, () => new Link(options, parts));
    this.#blocking = new BlockingConnections(options.name, options.blockingConnections, parts);
  }

  open(): Promise<void> {
    const attempts = Promise.all(this.#links.map((link) => link.open()));
    this.#opening = attempts.then(() => {
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

  get wantedConnections(): number {
    return this.#links.length;
  }

  get inFlight(): number {
    let sum = this.#scripts?.underWay ?? 0;
    for (const { underWay } of this.#links) sum += underWay;
    return sum;
  }

  get blocked(): number {
    return this.#blocking.busy;
  }

  send(commands: readonly PendingCommand[], lane: Lane): void {
    const link = lane === 'shared' ? this.#pick() : this.#scriptLink();
    const { inFlight } = this;
    if (inFlight + commands.length > this.options.maxInFlight) {
      throw tooManyInFlight(this.name, inFlight);
    }
    for (const command of commands) link.send(command);
  }

  sendTogether(commands: readonly PendingCommand[]): void {
    this.send(commands, 'shared');
  }

  /** Sends commands that came from another server, in the order in which they come: always on one and the same connection. */
  sendMoved(commands: readonly PendingCommand[], lane: Lane): void {
    const link =
      lane === 'shared'
        ? (this.#links.find(({ ready }) => ready) ?? this.#refuse())
        : this.#scriptLink();
    for (const command of commands) link.send(command);
  }

  opening(caller: Caller, lane: Lane): Promise<void> | undefined {
    if (lane === 'scripts' && this.#scripts === undefined && !this.#closed) {
      this.#scripts = new Link(this.options, this.#parts);
      this.#scriptsOpening = this.#scripts.open().then(() => {
        this.#scriptsOpening = undefined;
      });
    }
    const opening = lane === 'shared' ? this.#opening : this.#scriptsOpening;
    const ready = lane === 'shared' ? this.readyConnections > 0 : this.#scripts?.ready === true;
    if (opening === undefined || ready) return undefined;
    return new Promise((resolve, reject) => {
      const off = caller.onEnd(reject);
      void opening.then(() => {
        off();
        resolve();
      });
    });
  }

  async alone(make: () => LoneCommand, caller: Caller): Promise<Reply> {
    const attempt = await this.#blocking.run(this.options, make(), caller);
    if ('reply' in attempt) return attempt.reply;
    throw replyError(attempt.redirect, this.name);
  }

  subscriberPlace(): LinkOptions {
    return this.options;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const links = this.#scripts === undefined ? this.#links : [...this.#links, this.#scripts];
    await Promise.all([this.#blocking.close(), ...links.map((link) => link.close())]);
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

  #scriptLink(): Link {
    const link = this.#scripts;
    return link?.ready === true ? link : this.#refuse(link);
  }

  #refuse(link = this.#links[0]): never {
    throw redisUnavailable(this.name, link?.fault ?? 'CLOSED', link?.retryAfterMs ?? 1_000);
  }
}
