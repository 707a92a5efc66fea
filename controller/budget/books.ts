import { Account } from './account.ts';
import { allocate } from './allocation.ts';
import type { Ledger } from './ledger.ts';
import { sortRows } from './listed-rows.ts';
import type { Grant, Heartbeat, Listing, SessionRow } from './share-messages.ts';

/** What the owner of the database allows. */
export interface BudgetTerms {
  /** Sessions on the server. */
  readonly total: number;
  /** Of these, for others than sidecars. */
  readonly reserve: number;
  /** What each pod keeps without the controller, as far as floors are at most half of the budget. */
  readonly floor: number;
  /** Most for one pod. */
  readonly ceiling: number;
}

export interface BooksOptions {
  readonly leaseMs: number;
  /** How long a connect may be under way at most: the server's authentication_timeout. */
  readonly lateConnectMs: number;
  readonly listEveryMs: number;
  /** A deleted pod that was not heard for so long, and has no session, is gone. */
  readonly forgetAfterMs: number;
}

/**
 * The leader's books of one budget: who may have how many sessions. They open with the ledger that the leader has written, grow nothing until all
 * grants of the leader before have ended and the server's sessions were listed, and then grow only what the books say is free.
 *
 * `answer` for each heartbeat, `tick` about four times a second, `ledgerWanted` → compare-and-swap → `ledgerStored`. Whether it still leads the caller checks before each.
 */
export class Books {
  readonly #options: BooksOptions;
  #terms: BudgetTerms;
  #ledger: Ledger;
  #ledgerDirty = false;
  readonly #openedAtMs: number;
  readonly #accounts = new Map<string, Account>();
  #counted = 0;
  #foreign = 0;
  #listedAtMs = -Infinity;
  #asked: { readonly pod: string; readonly number: number; readonly atMs: number } | undefined;
  #scoutPod = '';
  #scoutUntilMs = -Infinity;
  /** Since when a listing is needed and nobody could make one; Infinity = not so. */
  #blindSinceMs = Infinity;
  #tooSmall = false;
  /** Somebody's grants have ended, and how much is left of them is not known. */
  #urgent = false;

  constructor(ledger: Ledger, terms: BudgetTerms, options: BooksOptions, nowMs: number) {
    this.#ledger = ledger;
    this.#terms = terms;
    this.#options = options;
    this.#openedAtMs = ledger.epoch === 1 ? -Infinity : nowMs; // nobody granted anything before the first
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

  /** For conditions and metrics: `tooSmall` = some pods have no floor, because floors would be more than half. */
  get summary(): Readonly<{ pods: number; counted: number; foreign: number; tooSmall: boolean }> {
    const [pods, counted, foreign] = [this.#accounts.size, this.#counted, this.#foreign];
    return { pods, counted, foreign, tooSmall: this.#tooSmall };
  }

  /** New terms from now on; what is out above a lower total drains. */
  configure(terms: BudgetTerms): void {
    this.#terms = terms;
  }

  /** Its object is gone, which proves nothing: it is forgotten when it is silent and has no sessions for long. */
  podDeleted(pod: string): void {
    const account = this.#accounts.get(pod);
    if (account !== undefined) account.podDeleted = true;
  }

  /** The answer to a heartbeat; none to one that is old, or whose boot is not in the ledger yet. */
  answer(heartbeat: Heartbeat, nowMs: number): Grant | undefined {
    const account = this.#account(heartbeat, nowMs);
    if (!account.hear(heartbeat, nowMs, this.#options.lateConnectMs)) return undefined;
    if (heartbeat.leaving === true && heartbeat.ports.length === 0) {
      account.leave();
      this.#ledgerDirty = true;
    }
    const terminate = this.#takeListing(heartbeat, nowMs);
    this.#recount(account, nowMs);
    if (account.recordedBoot !== account.boot) this.#ledgerDirty = true;
    if (account.recordedBoot !== account.boot || account.left) return undefined;

    const share = this.#share(account, nowMs);
    account.granted(heartbeat.number, share, nowMs);
    this.#recount(account, nowMs);
    const { pod, boot, number: answers } = heartbeat;
    const [floor, epoch, leaseMs] = [account.floor, this.#ledger.epoch, this.#options.leaseMs];
    const list = this.#wantsListing(heartbeat, nowMs);
    const gone = account.gone();
    return { pod, boot, epoch, answers, floor, share, leaseMs, list, terminate, gone };
  }

  /** Sees whose grants have ended, gives floors, and works out who should have how much. */
  tick(nowMs: number): void {
    this.#urgent = !this.#mayGrow(nowMs);
    let connected = false;
    for (const account of this.#accounts.values()) {
      this.#age(account, nowMs);
      if (account.unlisted()) this.#urgent = true;
      if (account.live && account.sockets > 0) connected = true;
    }
    const blind = this.#urgent && !connected;
    this.#blindSinceMs = blind ? Math.min(this.#blindSinceMs, nowMs) : Infinity;
    if (!this.#mayGrow(nowMs)) return;
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
    if (!this.#ledgerDirty) return undefined;
    const entries = [...this.#accounts.values()]
      .filter(({ left }) => !left)
      .map(({ pod, address, boot, floorToBe, former }) => {
        return { pod, address, boot, floor: floorToBe, former };
      });
    return { version: this.#ledger.version + 1, epoch: this.#ledger.epoch, entries };
  }

  /** It was written, as `ledgerWanted` gave it. A write that failed means that another leads: these books are closed. */
  ledgerStored(ledger: Ledger, nowMs: number): void {
    this.#ledger = ledger;
    this.#ledgerDirty = false;
    for (const { pod, boot, floor, former } of ledger.entries) {
      const account = this.#accounts.get(pod);
      if (account === undefined || account.left) continue;
      account.recordedBoot = boot;
      account.recordedFormer = former;
      account.floor = floor;
      if (account.boot !== boot || account.floorToBe !== floor) this.#ledgerDirty = true;
      this.#recount(account, nowMs);
    }
  }

  #account(heartbeat: Heartbeat, nowMs: number): Account {
    const known = this.#accounts.get(heartbeat.pod);
    if (known !== undefined) return known;
    const account = new Account(heartbeat, nowMs);
    this.#accounts.set(heartbeat.pod, account);
    this.#ledgerDirty = true;
    return account;
  }

  /** What this sidecar is granted now, floor included. */
  #share(account: Account, nowMs: number): number {
    const { floor, share } = account;
    const least = Math.max(floor, this.#scout(account, nowMs));
    if (!this.#mayGrow(nowMs)) return Math.max(least, share);
    const own = account.counted - account.besides(nowMs);
    return Math.max(least, Math.min(account.target, Math.max(0, own + this.free)));
  }

  /** With nobody connected nobody can list: after so long that what runs unheard has killed its own, one may have one session for it. */
  #scout(account: Account, nowMs: number): number {
    const { leaseMs, lateConnectMs } = this.#options;
    if (nowMs < this.#blindSinceMs + leaseMs + lateConnectMs || account.demand === 0) return 0;
    if (nowMs >= this.#scoutUntilMs) {
      this.#scoutPod = account.pod;
      this.#scoutUntilMs = nowMs + leaseMs;
    }
    return this.#scoutPod === account.pod ? 1 : 0;
  }

  #mayGrow(nowMs: number): boolean {
    if (this.#openedAtMs === -Infinity) return true;
    return nowMs >= this.#openedAtMs + this.#options.leaseMs && this.#listedAtMs > -Infinity;
  }

  #wantsListing(heartbeat: Heartbeat, nowMs: number): boolean {
    const { leaseMs, listEveryMs } = this.#options;
    // A listing from before that tells nothing of the former leader's grants.
    if (heartbeat.ports.length === 0 || nowMs < this.#openedAtMs + leaseMs) return false;
    if (this.#asked !== undefined && nowMs < this.#asked.atMs + leaseMs / 2) return false;
    if (!this.#urgent && nowMs < this.#listedAtMs + listEveryMs) return false;
    this.#asked = { pod: heartbeat.pod, number: heartbeat.number, atMs: nowMs };
    return true;
  }

  #takeListing({ pod, listing }: Heartbeat, nowMs: number): SessionRow[] {
    const asked = this.#asked;
    if (listing === undefined || asked?.pod !== pod || asked.number !== listing.asked) return [];
    this.#asked = undefined;
    this.#listedAtMs = nowMs;
    return this.#spread(listing, asked.atMs, nowMs);
  }

  /** Gives each account its rows; the result is what is to be terminated. */
  #spread({ rows }: Listing, askedAtMs: number, nowMs: number): SessionRow[] {
    const { owned, foreign } = sortRows([...this.#accounts.values()], rows);
    this.#foreign = foreign;
    for (const account of this.#accounts.values()) {
      account.list(owned.get(account) ?? [], askedAtMs, nowMs);
      this.#recount(account, nowMs);
    }
    return [...this.#accounts.values()].flatMap((account) => account.toTerminate());
  }

  #age(account: Account, nowMs: number): void {
    const { leaseMs, lateConnectMs, forgetAfterMs } = this.#options;
    const silentMs = nowMs - account.heardAtMs;
    if (silentMs >= leaseMs) account.lapse(nowMs, lateConnectMs);
    this.#recount(account, nowMs);
    if (account.recordedFormer && !account.former) this.#ledgerDirty = true;
    const empty = !account.unlisted() && account.sessions === 0;
    if (!account.podDeleted || silentMs < leaseMs + forgetAfterMs || !empty) return;
    this.#accounts.delete(account.pod);
    this.#counted -= account.counted;
    this.#ledgerDirty = true;
  }

  #giveFloors(nowMs: number): void {
    const { floor } = this.#terms;
    this.#tooSmall = false;
    if (floor === 0) return;
    let floors = 0;
    for (const { floorToBe } of this.#accounts.values()) floors += floorToBe;
    for (const account of this.#accounts.values()) {
      if (account.floorToBe > 0 || account.left || !account.live) continue;
      if (floors + floor > this.room / 2) this.#tooSmall = true;
      else if (floor <= account.counted - account.besides(nowMs) + this.free) {
        account.floorToBe = floor;
        floors += floor;
        this.#ledgerDirty = true;
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
