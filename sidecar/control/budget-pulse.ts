import type { Clock } from '../../platform/clock.ts';
import type { Grant__Output } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { SessionListing } from '../../platform/gen/holdfast/control/v1/SessionListing.ts';
import type { Logger } from '../../platform/logger.ts';
import {
  addressSeen,
  endSessions,
  listSessions,
  type SessionAsker,
} from '../postgres/server-sessions.ts';
import type { BudgetHolders } from './budget-holders.ts';
import type { BudgetLink } from './budget-link.ts';
import type { Share } from './share.ts';
import { wireHeartbeat } from './share-wire.ts';

interface PulseParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly link: BudgetLink;
  readonly share: Share;
  readonly holders: BudgetHolders;
  /** About once a second, and whenever something is told. */
  readonly onBeat: () => void;
}

const beatEveryMs = 1_000;
const beatGapMs = 200;
/** Who waits for more asks again so soon, while that is news: what others give up comes with an answer. */
const eagerEveryMs = 300;
const eagerMs = 3_000;
/** A server that is well closes a socket sooner after we have. */
export const unconfirmedMs = 1_500;

/** The heartbeats of one budget: about once a second, and soon when there is news. Lists and ends sessions for the controller. */
export class BudgetPulse {
  readonly #budget: string;
  readonly #parts: PulseParts;
  #lastAtMs = -Infinity;
  #nextAtMs = Infinity;
  #eagerUntilMs = -Infinity;
  #stopTimer: () => void = () => {};
  /** That the controller knows of. */
  #toldDemand = 0;
  #address = '';
  #listing: SessionListing | undefined;
  #isAsking = false;
  #leaving = false;

  constructor(budget: string, parts: PulseParts) {
    this.#budget = budget;
    this.#parts = parts;
    this.soon();
  }

  /** There is news. */
  soon(): void {
    this.#beatAt(this.#lastAtMs + beatGapMs);
  }

  /** Somebody wanted a session and did not get it. */
  demanded(): void {
    if (this.#parts.holders.demand <= this.#toldDemand) return;
    this.#eagerUntilMs = this.#parts.clock.now() + eagerMs;
    this.soon();
  }

  /** Does what a grant asks for besides. */
  serve({ list, answers, terminate }: Grant__Output): void {
    if (list) {
      void this.#ask(async (asker) => {
        const { clock } = this.#parts;
        const { sessions, ...limits } = await listSessions(this.#users, asker, clock);
        this.#listing = { asked: answers, sessions: [...sessions], ...limits };
        this.soon();
      });
    }
    if (terminate.length === 0) return;
    const strays = terminate.map(({ address, port, startedUs }) => {
      return { address, port, startedUs: Number(startedUs) };
    });
    void this.#ask(async (asker) => {
      const ended = await endSessions(strays, asker, this.#parts.clock);
      const told = { budget: this.#budget, ended, asked: strays.length };
      this.#parts.log.info(told, 'sessions that nobody owns any more were ended');
    });
  }

  /** Says that it is about to exit, and nothing more after that. */
  leave(): void {
    this.#leaving = true;
    this.#beat();
    this.#stopTimer();
  }

  get #users(): readonly string[] {
    return this.#parts.holders.askers.map(({ user }) => user());
  }

  #beatAt(atMs: number): void {
    const { clock } = this.#parts;
    if (this.#leaving || atMs >= this.#nextAtMs) return;
    this.#nextAtMs = atMs;
    this.#stopTimer();
    this.#stopTimer = clock.after(Math.max(0, atMs - clock.now()), () => {
      this.#parts.onBeat();
      this.#beat();
    });
  }

  #beat(): void {
    const { clock, random, link, share, holders } = this.#parts;
    const { demand, waiting } = holders;
    const told = link.send(
      wireHeartbeat(share.heartbeat(demand), {
        budget: this.#budget,
        address: this.#address,
        leaving: this.#leaving,
        listing: this.#listing ?? null,
        waiting,
        oldestWaitMs: Math.round(holders.waitedMs),
        refusals: share.refusals,
      }),
    );
    if (told) {
      this.#toldDemand = demand;
      this.#listing = undefined;
    }
    this.#lastAtMs = clock.now();
    this.#nextAtMs = Infinity;
    const isEager = waiting > 0 && this.#lastAtMs < this.#eagerUntilMs;
    const everyMs = isEager ? eagerEveryMs : beatEveryMs;
    this.#beatAt(this.#lastAtMs + everyMs * (0.9 + 0.2 * random()));
    void this.#lookUp();
  }

  /** Asks the server what only it knows: our address, and what became of sockets that it has not closed. */
  async #lookUp(): Promise<void> {
    const { clock, share } = this.#parts;
    const isOpen = share.sessions > share.unconfirmed(0).length;
    const ports = share.unconfirmed(unconfirmedMs);
    const isNews = this.#address === '' || ports.length > 0;
    if (this.#isAsking || !isOpen || !isNews) return;
    this.#isAsking = true;
    await this.#ask(async (asker) => {
      if (this.#address === '') this.#address = await addressSeen(asker, clock);
      if (ports.length > 0) await this.#endUnconfirmed(ports, asker);
    });
    this.#isAsking = false;
  }

  /** Sessions of sockets that are gone here are of no use to anybody. */
  async #endUnconfirmed(ports: readonly number[], asker: SessionAsker): Promise<void> {
    const { clock, share } = this.#parts;
    const { sessions } = await listSessions(this.#users, asker, clock);
    const there = sessions.filter(
      ({ address, port }) => address === this.#address && ports.includes(port),
    );
    const listed = new Set(there.map(({ port }) => port));
    share.notListed(ports.filter((port) => !listed.has(port)));
    if (there.length > 0) await endSessions(there, asker, clock);
    this.#parts.onBeat();
  }

  /** What cannot be asked now is asked for again by the controller. */
  async #ask(question: (asker: SessionAsker) => Promise<void>): Promise<void> {
    const [asker] = this.#parts.holders.askers;
    if (asker === undefined) return;
    try {
      await question(asker);
    } catch (err) {
      const { log } = this.#parts;
      log.debug({ budget: this.#budget, err }, 'the sessions of the server cannot be asked for');
    }
  }
}
