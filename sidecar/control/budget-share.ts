import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { Grant__Output } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Logger } from '../../platform/logger.ts';
import type { SessionAsker } from '../postgres/server-sessions.ts';
import {
  budgetError,
  type CountedSocket,
  type JoinBudget,
  type SessionBudget,
  type SessionHolder,
  type SessionPermit,
} from '../postgres/session-budget.ts';
import type { BudgetLink } from './budget-link.ts';
import type { BudgetEvents, BudgetReading } from './budget-metrics.ts';
import { BudgetHolders } from './budget-holders.ts';
import { BudgetPulse, unconfirmedMs } from './budget-pulse.ts';
import type { Floors } from './floors.ts';
import { leaseTime } from './lease-time.ts';
import { Share } from './share.ts';
import { grantOf } from './share-wire.ts';

interface BudgetShareParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly link: BudgetLink;
  readonly floors: Floors;
  readonly events: BudgetEvents;
}

/** By which clocks may differ, as part of a lease; the rest is for what is on its way. */
const driftRatio = 0.05;
const drainMs = 2_500;
/** The default of the server's authentication_timeout. */
const lateConnectMs = 60_000;
const refusalMs = 1_000;

/**
 * The share of one connection budget, in front of all pools that use it. Whoever opens a session asks here first; when the share shrinks, what is idle is
 * closed, then what becomes free, and at T_kill what is left above the floor is cut: reads first, commits last.
 */
export class BudgetShare implements BudgetReading {
  readonly name: string;
  readonly #parts: BudgetShareParts;
  readonly #now: () => number;
  readonly #share: Share;
  readonly #holders = new BudgetHolders();
  readonly #pulse: BudgetPulse;
  /** Leaves that have no socket yet. */
  #reserved = 0;
  #over = 0;
  #changesAtMs = Infinity;
  #stopTimer: () => void = () => {};
  #roomIsTold = false;
  #left = false;

  constructor(name: string, parts: BudgetShareParts) {
    const { clock, random, floors, link } = parts;
    this.name = name;
    this.#parts = parts;
    this.#now = leaseTime(clock);
    this.#share = new Share({
      boot: link.boot,
      floor: floors.of(name),
      now: this.#now,
      random,
      driftRatio,
      drainMs,
      lateConnectMs,
      refusalMs,
      blindMs: 2 * unconfirmedMs,
    });
    this.#pulse = new BudgetPulse(name, {
      ...parts,
      share: this.#share,
      holders: this.#holders,
      onBeat: () => {
        this.#holders.settle(this.#share.most);
        this.#step();
      },
    });
  }

  get most(): number {
    return this.#share.most;
  }

  get floor(): number {
    return this.#share.floor;
  }

  get sessions(): number {
    return this.#share.sessions;
  }

  get demand(): number {
    return this.#holders.demand;
  }

  /** From now on `holder` opens its sessions under the budget. `asker`: a way to ask the server, where it has one. */
  join(holder: SessionHolder, asker?: SessionAsker): SessionBudget {
    this.#holders.add(holder, asker);
    const owes = (): boolean => this.#holders.owes(holder);
    const over = (): boolean => this.#over > 0;
    return {
      get isOver() {
        return over() || owes();
      },
      look: () => this.#look(),
      reserve: () => this.#reserve(holder),
      fault: () => this.#fault(holder.pool),
      leave: () => this.#holders.delete(holder),
    };
  }

  /** `join` for who cannot ask the server. */
  readonly joinBudget: JoinBudget = (holder) => this.join(holder);

  take(grant: Grant__Output): void {
    const before = this.#share.most;
    const isInForce = this.#share.take(grantOf(grant));
    this.#parts.floors.keep(this.name, this.#share.floor);
    if (!isInForce) return;
    this.#parts.events.granted();
    // What it gave up is free for others when they hear so.
    if (this.#share.most !== before) this.#pulse.soon();
    this.#pulse.serve(grant);
    this.#step();
  }

  /** Opens no more, and says so; to be called when everything is closed. */
  leave(): void {
    this.#left = true;
    this.#stopTimer();
    this.#pulse.leave();
  }

  #reserve(holder: SessionHolder): SessionPermit | undefined {
    this.#look();
    const share = this.#share;
    const room = share.mayOpen - this.#reserved;
    const may = share.most >= holder.leastShare && room > 0;
    if (!may || this.#left || this.#holders.isForOthers(room, holder)) {
      this.#holders.wants(holder);
      // One session for another is no gain where none may be opened at all.
      if (share.most >= holder.leastShare && share.sessions >= share.most) {
        this.#holders.makeRoomFor(holder);
      }
      this.#pulse.demanded();
      return undefined;
    }
    this.#holders.served(holder);
    this.#reserved += 1;
    let isReserved = true;
    const release = (): void => {
      if (isReserved) this.#reserved -= 1;
      isReserved = false;
    };
    return {
      begin: (port) => {
        release();
        if (this.#left || port === 0 || share.mayOpen <= this.#reserved) return undefined;
        share.connecting(port);
        return this.#socket(port, holder);
      },
      end: () => {
        if (isReserved) this.#roomSoon();
        release();
      },
    };
  }

  #socket(port: number, holder: SessionHolder): CountedSocket {
    const share = this.#share;
    let isClosed = false;
    return {
      opened: () => {
        const isInTime = share.opened(port);
        this.#step();
        return isInTime;
      },
      refused: () => {
        isClosed = true;
        share.refused(port);
        this.#parts.events.refused();
        this.#step();
      },
      closing: () => {
        if (isClosed) return;
        share.destroyed(port);
        this.#holders.paid(holder);
        this.#over = share.surplus.drain;
      },
      closed: () => {
        // By now the port may be another socket's.
        if (!isClosed) share.closed(port);
        isClosed = true;
        this.#step();
      },
    };
  }

  #fault(pool: string): HoldfastError {
    const { most } = this;
    const of = `of ConnectionBudget "${this.name}"`;
    return budgetError(
      pool,
      most === 0
        ? `pool "${pool}" has no connection: the controller has not given this sidecar a share ${of} yet`
        : `no connection of pool "${pool}" became free in time: the share ${of} that this sidecar has is ${most}, and ${this.sessions} are in use`,
    );
  }

  #look(): void {
    if (this.#now() >= this.#changesAtMs) this.#step();
  }

  /** Makes true what the share says now. */
  #step(): void {
    const share = this.#share;
    this.#watch();
    this.#holders.closeIdle(share.surplus.drain);
    const { destroy } = share.surplus;
    if (destroy > 0) {
      const cut = this.#holders.cut(destroy);
      for (let nth = 0; nth < cut; nth += 1) this.#parts.events.cut();
      const told = { budget: this.name, cut };
      if (cut > 0) this.#parts.log.warn(told, 'a share has ended: sessions in use were cut');
    }
    this.#over = share.surplus.drain;
    if (share.mayOpen > this.#reserved) this.#roomSoon();
  }

  /** Looks again when time changes what may be. */
  #watch(): void {
    const changesAtMs = this.#share.nextChangeMs;
    if (changesAtMs === this.#changesAtMs) return;
    this.#changesAtMs = changesAtMs;
    this.#stopTimer();
    if (changesAtMs === Infinity || this.#left) return;
    const { clock } = this.#parts;
    this.#stopTimer = clock.after(changesAtMs - this.#now() + 1, () => this.#step());
  }

  /** Not at once: whoever ends a session is in the midst of something. */
  #roomSoon(): void {
    if (this.#roomIsTold) return;
    this.#roomIsTold = true;
    queueMicrotask(() => {
      this.#roomIsTold = false;
      this.#holders.tellRoom();
    });
  }
}
