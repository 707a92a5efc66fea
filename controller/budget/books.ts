import { Account } from './account.ts';
import { allocate } from './allocation.ts';
import type { BooksOptions, BooksSummary, BudgetTerms } from './budget-terms.ts';
import type { Ledger } from './ledger.ts';
import { sortRows } from './listed-rows.ts';
import { ListingTurns } from './listing-turns.ts';
import type { Grant, Heartbeat, Listing, SessionRow } from './share-messages.ts';

/**
 * The leader's books of one budget: who may have how many sessions. They open with the ledger that the leader has written, grow nothing until all
 * grants of the leader before have ended and the server's sessions were listed, and then grow only what the books say is free.
 *
 * `answer` for each heartbeat, `tick` about four times a second, `ledgerWanted` → compare-and-swap → `ledgerStored`.
 */
export class Books {
  readonly #options: BooksOptions;
  #terms: BudgetTerms;
  #ledger: Ledger;
  /** Counts what is to be in the ledger, what was when it was wanted last, and what is in it as it was stored. */
  #changes = 0;
  #changesWanted = 0;
  #changesStored = 0;
  /** When all grants of the leader before have ended. */
  readonly #growsAtMs: number;
  readonly #turns: ListingTurns;
  readonly #accounts = new Map<string, Account>();
  #counted = 0;
  #foreign = 0;
  #tooSmall = false;
  /** The longest that may run, for the ledger. */
  #leaseMs: number;
  /** When no grant runs any more that is longer than the terms say. */
  #shortensAtMs: number;

  constructor(ledger: Ledger, terms: BudgetTerms, options: BooksOptions, nowMs: number) {
    this.#ledger = ledger;
    this.#terms = terms;
    this.#options = options;
    // Who is not in the ledger was never answered.
    const first = ledger.entries.length === 0;
    this.#leaseMs = Math.max(ledger.leaseMs, terms.leaseMs);
    this.#shortensAtMs = nowMs + ledger.leaseMs;
    this.#growsAtMs = first ? -Infinity : nowMs + this.#leaseMs;
    if (ledger.leaseMs !== this.#leaseMs) this.#changes += 1;
    this.#turns = new ListingTurns(options, this.#growsAtMs);
    for (const entry of ledger.entries) {
      const account = Account.taken(entry, nowMs, options.lateConnectMs);
      this.#accounts.set(entry.pod, account);
      this.#recount(account, nowMs);
    }
  }

  get room(): number {
    return this.#terms.total - this.#terms.reserve;
  }

  /** What is in nobody's name; negative while more is out than there should be. */
  get free(): number {
    return this.room - this.#counted - this.#foreign;
  }

  /** The ledger as it was stored last. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Nothing of the leader before runs any more, and the server's sessions are known. */
  grows(nowMs: number): boolean {
    if (this.#growsAtMs === -Infinity) return true;
    return nowMs >= this.#growsAtMs && this.#turns.listed;
  }

  /** For conditions and metrics. */
  get summary(): BooksSummary {
    let [floors, demand] = [0, 0];
    for (const account of this.#accounts.values()) {
      floors += account.floor;
      if (account.live && !account.left) demand += account.demand;
    }
    const [pods, counted, foreign] = [this.#accounts.size, this.#counted, this.#foreign];
    return { pods, counted, foreign, floors, demand, tooSmall: this.#tooSmall };
  }

  /** New terms from now on; what is out above a lower total drains, and grants under a longer lease run to their end. */
  configure(terms: BudgetTerms, nowMs: number): void {
    if (terms.leaseMs < this.#terms.leaseMs) this.#shortensAtMs = nowMs + this.#leaseMs;
    if (terms.leaseMs > this.#leaseMs) {
      this.#leaseMs = terms.leaseMs;
      this.#changes += 1;
    }
    this.#terms = terms;
  }

  /** Whose objects are gone, which proves nothing: they are forgotten when they are silent and have no sessions for long. */
  podsDeleted(isDeleted: (pod: string) => boolean): void {
    for (const account of this.#accounts.values()) account.podDeleted = isDeleted(account.pod);
  }

  /** The answer to a heartbeat; none to one that is old, or whose boot is not in the ledger yet, or when another may lead. */
  answer(heartbeat: Heartbeat, nowMs: number): Grant | undefined {
    if (!this.#options.isLeading()) return undefined;
    const account = this.#account(heartbeat, nowMs);
    const former = account?.boot;
    if (account?.hear(heartbeat, nowMs, this.#options.lateConnectMs) !== true) return undefined;
    if (account.boot !== former) this.#changes += 1;
    if (account.moved(heartbeat.address)) this.#changes += 1;
    if (heartbeat.leaving === true && heartbeat.ports.length === 0 && !account.left) {
      account.leave();
      this.#changes += 1;
    }
    const askedAtMs = this.#turns.takes(heartbeat, nowMs);
    const terminate = this.#spread(heartbeat.listing, askedAtMs, nowMs);
    this.#recount(account, nowMs);
    if (account.recordedBoot !== account.boot || account.left) return undefined;

    const share = this.#share(account, nowMs);
    account.granted(heartbeat.number, share, nowMs);
    this.#recount(account, nowMs);
    const { pod, boot, number: answers } = heartbeat;
    const [floor, epoch] = [account.floor, this.#ledger.epoch];
    // The next leader waits for as long as the ledger says.
    const leaseMs = Math.min(this.#terms.leaseMs, this.#ledger.leaseMs);
    const list = this.#turns.asks(heartbeat, leaseMs, nowMs);
    const gone = account.gone();
    return { pod, boot, epoch, answers, floor, share, leaseMs, list, terminate, gone };
  }

  /** Sees whose grants have ended, gives floors, and works out who should have how much. */
  tick(nowMs: number): void {
    const { leaseMs } = this.#terms;
    if (leaseMs < this.#leaseMs && nowMs >= this.#shortensAtMs) {
      this.#leaseMs = leaseMs;
      this.#changes += 1;
    }
    let urgent = !this.grows(nowMs);
    let connected = false;
    for (const account of this.#accounts.values()) {
      this.#age(account, nowMs);
      if (account.unlisted()) urgent = true;
      if (account.live && account.sockets > 0) connected = true;
    }
    this.#turns.look(urgent, connected, nowMs);
    if (!this.grows(nowMs)) return;
    this.#giveFloors(nowMs);
    const live = [...this.#accounts.values()].filter((account) => account.live && !account.left);
    let besides = this.#foreign;
    for (const account of this.#accounts.values()) {
      besides += account.live && !account.left ? account.besides(nowMs) : account.counted;
    }
    const claims = live.map(({ floor, demand, held }) => {
      return { floor, ceiling: Math.max(floor, this.#terms.ceiling), demand, held };
    });
    const targets = allocate(claims, Math.max(0, this.room - besides));
    for (const [at, account] of live.entries()) account.target = targets[at] ?? account.floor;
  }

  /** What is to be written before new boots are answered and new floors count; undefined = nothing. */
  ledgerWanted(): Ledger | undefined {
    if (this.#changes === this.#changesStored) return undefined;
    this.#changesWanted = this.#changes;
    const entries = [...this.#accounts.values()]
      .filter(({ left }) => !left)
      .map(({ pod, address, boot, floorToBe, former }) => {
        return { pod, address, boot, floor: floorToBe, former };
      });
    const { version, epoch } = this.#ledger;
    return { version: version + 1, epoch, leaseMs: this.#leaseMs, entries };
  }

  /** It was written, as `ledgerWanted` gave it last. */
  ledgerStored(ledger: Ledger, nowMs: number): void {
    this.#changesStored = this.#changesWanted;
    this.#record(ledger, nowMs);
  }

  /** An earlier write of these books was found to be stored: what has changed since is to be written still. */
  ledgerFound(ledger: Ledger, nowMs: number): void {
    this.#changes += 1;
    this.#record(ledger, nowMs);
  }

  #record(ledger: Ledger, nowMs: number): void {
    this.#ledger = ledger;
    for (const { pod, boot, floor, former } of ledger.entries) {
      const account = this.#accounts.get(pod);
      if (account === undefined || account.left) continue;
      account.recordedBoot = boot;
      account.recordedFormer = former;
      account.floor = floor;
      this.#recount(account, nowMs);
    }
  }

  #account(heartbeat: Heartbeat, nowMs: number): Account | undefined {
    const known = this.#accounts.get(heartbeat.pod);
    if (known !== undefined) return known;
    if (this.#accounts.size >= this.#options.mostPods) {
      this.#tooSmall = true;
      return undefined;
    }
    const account = new Account(heartbeat, nowMs);
    this.#accounts.set(heartbeat.pod, account);
    this.#changes += 1;
    return account;
  }

  /** What this sidecar is granted now, floor included. */
  #share(account: Account, nowMs: number): number {
    const { pod, floor, share, demand } = account;
    const scouts = demand > 0 && this.#turns.scouts(pod, this.#leaseMs, nowMs);
    const least = Math.max(floor, scouts ? 1 : 0);
    if (!this.grows(nowMs)) return Math.max(least, share);
    const own = account.counted - account.besides(nowMs);
    return Math.max(least, Math.min(account.target, Math.max(0, own + this.free)));
  }

  /** Gives each account its rows; the result is what is to be terminated. */
  #spread(
    listing: Listing | undefined,
    askedAtMs: number | undefined,
    nowMs: number,
  ): SessionRow[] {
    if (listing === undefined || askedAtMs === undefined) return [];
    const { owned, foreign } = sortRows([...this.#accounts.values()], listing.rows);
    this.#foreign = foreign;
    for (const account of this.#accounts.values()) {
      account.list(owned.get(account) ?? [], askedAtMs, nowMs);
      this.#recount(account, nowMs);
    }
    const terminate = [...this.#accounts.values()].flatMap((account) => account.toTerminate());
    this.#turns.terminates(terminate.length, nowMs);
    return terminate;
  }

  #age(account: Account, nowMs: number): void {
    const { lateConnectMs, forgetAfterMs } = this.#options;
    const leaseMs = this.#leaseMs;
    const silentMs = nowMs - account.heardAtMs;
    if (silentMs >= leaseMs) account.lapse(nowMs, lateConnectMs);
    this.#recount(account, nowMs);
    if (account.recordedFormer && !account.former) {
      account.recordedFormer = false;
      this.#changes += 1;
    }
    const empty = !account.unlisted() && account.sessions === 0;
    if (!account.podDeleted || silentMs < leaseMs + forgetAfterMs || !empty) return;
    this.#accounts.delete(account.pod);
    this.#counted -= account.counted;
    this.#changes += 1;
  }

  #giveFloors(nowMs: number): void {
    const { floor } = this.#terms;
    this.#tooSmall = this.#accounts.size >= this.#options.mostPods;
    if (floor === 0) return;
    let floors = 0;
    for (const { floorToBe } of this.#accounts.values()) floors += floorToBe;
    for (const account of this.#accounts.values()) {
      if (account.floorToBe > 0 || account.left || !account.live) continue;
      if (floors + floor > this.room / 2) this.#tooSmall = true;
      else if (floor <= account.counted - account.besides(nowMs) + this.free) {
        account.floorToBe = floor;
        floors += floor;
        this.#changes += 1;
        this.#recount(account, nowMs);
      }
    }
  }

  #recount(account: Account, nowMs: number): void {
    const most = account.most(nowMs);
    this.#counted += most - account.counted;
    account.counted = most;
  }
}
