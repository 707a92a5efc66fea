import { HoldfastError } from '../../platform/errors.ts';
import { Link, type LinkParts } from './link.ts';
import { PendingCommand } from './pending-command.ts';
import type { Caller, LoneCommand } from './redis-backend.ts';
import { redisUnavailable } from './reply-errors.ts';
import type { LinkOptions } from './redis-options.ts';
import type { Reply } from './reply.ts';

/** What became of an attempt: a reply, or the words with which Redis sent it elsewhere. */
type Attempt = { readonly reply: Reply } | { readonly redirect: string };

/** One that nobody needs is kept for so long. */
const idleMs = 10_000;

/** Connections that one command each has for itself while it blocks. Shared by all callers of one Redis. */
export class BlockingConnections {
  readonly #name: string;
  readonly #limit: number;
  readonly #parts: LinkParts;
  readonly #idle = new Map<Link, { readonly place: string; readonly stop: () => void }>();
  readonly #busy = new Set<Link>();
  #closed = false;

  constructor(name: string, limit: number, parts: LinkParts) {
    this.#name = name;
    this.#limit = limit;
    this.#parts = parts;
  }

  get busy(): number {
    return this.#busy.size;
  }

  /** Runs one command at `where`. When the caller gives up, or no answer comes, the connection is closed: the server stops waiting then. */
  async run(where: LinkOptions, lone: LoneCommand, caller: Caller): Promise<Attempt> {
    const place = JSON.stringify(where.connection.place);
    const link = this.#take(place, where);
    this.#busy.add(link);
    let reusable = false;
    try {
      if (!link.ready) await orEnd(link.open(), caller);
      if (!link.ready) throw redisUnavailable(this.#name, link.fault, link.retryAfterMs);
      const attempt = await this.#send(link, lone, caller);
      reusable = link.ready;
      return attempt;
    } catch (thrown) {
      // Redis said no, and stays in step with us.
      reusable = thrown instanceof HoldfastError && thrown.reason === 'REDIS_ERROR' && link.ready;
      throw thrown;
    } finally {
      this.#busy.delete(link);
      if (reusable && !this.#closed) this.#keep(link, place);
      else void link.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const links = [...this.#idle.keys(), ...this.#busy];
    for (const { stop } of this.#idle.values()) stop();
    this.#idle.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  #take(place: string, where: LinkOptions): Link {
    if (this.#closed) throw redisUnavailable(this.#name, 'CLOSED', 1_000);
    if (this.#busy.size >= this.#limit) {
      throw new HoldfastError(
        'exhausted',
        'POOL_EXHAUSTED',
        `${this.#limit} commands block on Redis "${this.#name}" already (blockingConnections); this one was not sent`,
        {
          target: this.#name,
          retryAfterMs: 100,
          metadata: { connections: String(this.#busy.size) },
        },
      );
    }
    for (const [link, idle] of this.#idle) {
      if (idle.place !== place) continue;
      this.#idle.delete(link);
      idle.stop();
      if (link.ready) return link;
      void link.close();
    }
    return new Link(where, this.#parts);
  }

  #keep(link: Link, place: string): void {
    const stop = this.#parts.clock.after(idleMs, () => {
      this.#idle.delete(link);
      void link.close();
    });
    this.#idle.set(link, { place, stop });
  }

  #send(link: Link, { words, harmless, waitMs, before }: LoneCommand, caller: Caller) {
    return new Promise<Attempt>((resolve, reject) => {
      if (before !== undefined) {
        link.send(new PendingCommand(before, true, { answered: () => {}, failed: reject }, 0));
      }
      const command = new PendingCommand(
        words,
        harmless,
        { answered: (reply) => resolve({ reply }), failed: reject },
        0,
      );
      command.waitMs = waitMs;
      command.redirect = (message) => {
        if (!/^(MOVED|ASK) /.test(message)) return false;
        command.detach();
        resolve({ redirect: message });
        return true;
      };
      link.send(command);
      caller.onEnd((reason) => command.abandon(reason));
    });
  }
}

/** Rejects when the caller gives up first. */
function orEnd(wait: Promise<void>, caller: Caller): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = caller.onEnd(reject);
    void wait.then(() => {
      off();
      resolve();
    });
  });
}
