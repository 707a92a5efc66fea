import type { Grant, Heartbeat, Listing } from './share-messages.ts';
import { Sockets } from './sockets.ts';

export interface ShareOptions {
  /** Which start of the sidecar this is; higher than all before. */
  readonly boot: number;
  /** What was last granted for good, from the disk; 0 = nothing yet. */
  readonly floor: number;
  /** From `leaseTime`, ms. */
  readonly now: () => number;
  /** Chance in [0, 1). */
  readonly random: () => number;
  /** Part of a lease by which this machine's clock may be slow, and what is left to the kill. */
  readonly driftRatio: number;
  /** Between opening nothing and destroying, ms; at most a quarter of a lease. */
  readonly drainMs: number;
  /** The server's authentication_timeout, ms. */
  readonly lateConnectMs: number;
  /** How long a refusal by the server (53300) counts where no grant comes, ms. */
  readonly refusalMs: number;
  /**
   * After so long without a word of the server on any of its sockets, all of which it has closed, one session is opened all the same: the server may be gone, and
   * only another session can tell. Never unless it is given. ms.
   */
  readonly blindMs?: number;
}

/** Heartbeats of longer than the longest lease. */
const mostUnanswered = 600;

/**
 * How many sessions this sidecar may have on one server: the floor always, its share until T_stop. From T_stop it opens nothing above the floor and drains,
 * from T_kill what is above the floor is destroyed.
 */
export class Share {
  readonly #options: ShareOptions;
  readonly #sockets: Sockets;
  readonly #sentAtMs = new Map<number, number>();
  #floor: number;
  #granted = 0;
  #epoch = 0;
  #answered = 0;
  #number = 0;
  #stopAtMs = -Infinity;
  #killAtMs = -Infinity;
  #refusal: { readonly most: number; readonly untilMs: number } | undefined;
  #refusals = 0;

  constructor(options: ShareOptions) {
    this.#options = options;
    this.#floor = options.floor;
    this.#sockets = new Sockets(options.lateConnectMs);
  }

  /** To be kept on the disk. */
  get floor(): number {
    return this.#floor;
  }

  /** How often the server refused a connect that the share allowed. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Sessions that the server may count now. */
  get sessions(): number {
    return this.#sockets.size;
  }

  /** Most sessions just now. 0 = nothing was ever granted: `CONNECTION_BUDGET`. */
  get most(): number {
    const refusal = this.#refusal;
    if (refusal === undefined || this.#options.now() >= refusal.untilMs) return this.#share;
    return Math.min(this.#share, refusal.most);
  }

  /** Connects that may begin now. */
  get mayOpen(): number {
    this.#sockets.forget(this.#options.now());
    if (this.#isBlind) return Math.min(1, this.most);
    const room = this.most - this.#sockets.size;
    const atOnce = Math.max(1, this.#floor) - this.#inFlight;
    return Math.max(0, Math.min(room, atOnce));
  }

  /** Sessions too many: `drain` = to be closed as they become free, `destroy` = of these, at once. */
  get surplus(): { readonly drain: number; readonly destroy: number } {
    const closing = this.#sockets.count('destroyed') + this.#sockets.count('abandoned');
    const over = (most: number): number => Math.max(0, this.#sockets.size - closing - most);
    const killed = this.#options.now() >= this.#killAtMs;
    return { drain: over(this.most), destroy: killed ? over(this.#floor) : 0 };
  }

  /** Until when nothing changes by itself; `Infinity` = only the floor is left. */
  get nextChangeMs(): number {
    const nowMs = this.#options.now();
    if (nowMs < this.#stopAtMs) return this.#stopAtMs;
    return nowMs < this.#killAtMs ? this.#killAtMs : Infinity;
  }

  /** A connect begins; `port` is its local port. */
  connecting(port: number): void {
    this.#sockets.connecting(port, this.#options.now());
  }

  /** A connect is through. False: its time is over, close it unused. */
  opened(port: number): boolean {
    this.#sockets.opened(port);
    const { blindMs = Infinity } = this.#options;
    return this.#sockets.size - this.unconfirmed(blindMs).length <= this.most;
  }

  /** We closed it, or gave the connect up; it counts until the server has closed it too. */
  destroyed(port: number): void {
    this.#sockets.destroyed(port, this.#options.now());
  }

  /** The server has closed it, or the connect failed for certain. */
  closed(port: number): void {
    this.#sockets.closed(port);
  }

  /** The server refused a connect (53300): no more than is open until a newer grant comes, and the floor not at once. */
  refused(port: number): void {
    this.#sockets.closed(port);
    this.#refusals += 1;
    const { now, random, refusalMs } = this.#options;
    const untilMs = now() + refusalMs * (0.5 + random());
    const most = this.#sockets.count('open');
    this.#refusal = { most, untilMs };
    this.#granted = Math.min(this.#granted, most);
  }

  /** What to tell the controller now; each call is another heartbeat, to be sent at once. */
  heartbeat(demand: number, listing?: Listing): Heartbeat {
    const nowMs = this.#options.now();
    this.#sockets.forget(nowMs);
    this.#number += 1;
    this.#sentAtMs.set(this.#number, nowMs);
    // Nobody answers so late, and without a controller nobody ever does.
    this.#sentAtMs.delete(this.#number - mostUnanswered);
    return {
      boot: this.#options.boot,
      number: this.#number,
      epoch: this.#epoch,
      answered: this.#answered,
      share: this.#share,
      demand,
      ports: this.#sockets.ports,
      listing,
    };
  }

  /** Puts a grant in force. False: it is of another boot, an older epoch, no newer heartbeat, or over already. */
  take(grant: Grant): boolean {
    if (grant.boot !== this.#options.boot || grant.epoch < this.#epoch) return false;
    if (grant.answers <= this.#answered) return false;
    const sentAtMs = this.#sentAtMs.get(grant.answers);
    if (sentAtMs === undefined) return false;
    for (const number of this.#sentAtMs.keys()) {
      if (number <= grant.answers) this.#sentAtMs.delete(number);
    }
    this.#answered = grant.answers;
    this.#epoch = grant.epoch;
    this.#floor = grant.floor;
    this.#granted = grant.share;
    this.#killAtMs = sentAtMs + grant.leaseMs * (1 - this.#options.driftRatio);
    this.#stopAtMs = this.#killAtMs - Math.min(this.#options.drainMs, grant.leaseMs / 4);
    this.#refusal = undefined;
    this.#sockets.notListed(grant.gone);
    return this.#options.now() < this.#stopAtMs;
  }

  /** Ports of sockets that were destroyed `ms` ago or earlier, and that the server may not have closed. */
  unconfirmed(ms: number): number[] {
    return this.#sockets.unconfirmed(this.#options.now() - ms);
  }

  /** The server's listing does not show these. */
  notListed(ports: readonly number[]): void {
    this.#sockets.notListed(ports);
  }

  get #isBlind(): boolean {
    const { blindMs } = this.#options;
    if (blindMs === undefined || this.#sockets.size === 0) return false;
    return this.unconfirmed(blindMs).length === this.#sockets.size;
  }

  get #share(): number {
    const stopped = this.#options.now() >= this.#stopAtMs;
    return stopped ? this.#floor : Math.max(this.#floor, this.#granted);
  }

  get #inFlight(): number {
    return this.#sockets.count('connecting') + this.#sockets.count('abandoned');
  }
}
