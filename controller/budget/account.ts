import type { LedgerEntry } from './ledger.ts';
import type { Heartbeat, SessionRow } from './share-messages.ts';

/** More sessions than any server has. */
const unbounded = 1_000_000;

/** Grants that are told apart while nothing says whether they were applied; a sidecar has one or two. */
const mostOutstanding = 64;

interface Outstanding {
  readonly answers: number;
  readonly share: number;
  readonly sentAtMs: number;
}

interface ListedRow {
  readonly row: SessionRow;
  /** When it was first listed, on the controller's clock. */
  readonly seenAtMs: number;
}

/** What a boot may have besides what is listed, until when. */
interface Former {
  readonly most: number;
  readonly sinceMs: number;
  /** A connect that it left under way may land until then. */
  readonly lateUntilMs: number;
}

/**
 * What the books know of one sidecar.
 *
 * Live while a grant may run or heartbeats come; lapsed after that, when it can have no more than it had, and a listing says how much that is. Its
 * number falls only when a heartbeat says that a smaller share was applied, or when a listing that was asked for after the end of its grants shows less.
 */
export class Account {
  readonly pod: string;
  /** As the server sees it; empty while nobody knows. */
  address: string;
  boot: number;
  /** In the ledger. */
  floor = 0;
  /** In the ledger that is being written. */
  floorToBe = 0;
  /** The boot is in the ledger: it may be answered. */
  recordedBoot: number | undefined;
  /** The ledger says that an earlier boot may have left something. */
  recordedFormer = false;
  share = 0;
  /** What it will hold: its share, or a grant that it has not said to have applied. */
  held = 0;
  demand = 0;
  target = 0;
  podDeleted = false;
  left = false;
  /** When it was heard last, or the books were opened. */
  heardAtMs: number;
  /** What `books` has added up for it. */
  counted = 0;
  #number = 0;
  #outstanding: Outstanding[] = [];
  /** The controller's time when it sent the grant that the last heartbeat knew. */
  #knewOfMs = -Infinity;
  /** Port → when it was first claimed. */
  #claimed = new Map<number, number>();
  #listed = new Map<number, ListedRow>();
  #listedAskedMs = -Infinity;
  #former: Former | undefined;
  #lapsed: Former | undefined;
  #unknown = false;

  constructor(heard: Pick<Heartbeat, 'pod' | 'address' | 'boot'>, nowMs: number) {
    this.pod = heard.pod;
    this.address = heard.address;
    this.boot = heard.boot;
    this.heardAtMs = nowMs;
  }

  /** As a former leader's ledger has it: what was granted is not known. */
  static taken(entry: LedgerEntry, nowMs: number, lateConnectMs: number): Account {
    const account = new Account(entry, nowMs);
    account.floor = entry.floor;
    account.floorToBe = entry.floor;
    account.recordedBoot = entry.boot;
    account.recordedFormer = entry.former;
    account.#unknown = true;
    if (entry.former) {
      account.#former = { most: unbounded, sinceMs: nowMs, lateUntilMs: nowMs + lateConnectMs };
    }
    return account;
  }

  get live(): boolean {
    return this.#lapsed === undefined && !this.#unknown;
  }

  /** An earlier boot may have left sessions or connects. */
  get former(): boolean {
    return this.#former !== undefined;
  }

  /** Sockets that it says it has. */
  get sockets(): number {
    return this.#claimed.size;
  }

  /** Sessions at its address that the last listing showed. */
  get sessions(): number {
    return this.#listed.size;
  }

  /** The heartbeat's facts. False: it is not newer than the last, and changes nothing. */
  hear(heartbeat: Heartbeat, nowMs: number, lateConnectMs: number): boolean {
    if (heartbeat.boot < this.boot) return false;
    if (heartbeat.boot > this.boot) this.#replace(heartbeat.boot, nowMs, lateConnectMs);
    if (heartbeat.number <= this.#number) return false;
    this.#number = heartbeat.number;
    this.heardAtMs = nowMs;
    this.#lapsed = undefined;
    this.#unknown = false;
    this.share = heartbeat.share;
    this.demand = heartbeat.demand;
    const known = this.#outstanding.find(({ answers }) => answers === heartbeat.answered);
    if (known !== undefined) this.#knewOfMs = known.sentAtMs;
    this.#outstanding = this.#outstanding.filter(({ answers }) => answers > heartbeat.answered);
    this.held = this.#outstanding.at(-1)?.share ?? this.share;
    this.#claim(heartbeat.ports, nowMs);
    return true;
  }

  /** It is seen at another address. */
  moved(address: string): boolean {
    if (address === '' || address === this.address) return false;
    this.address = address;
    return true;
  }

  granted(answers: number, share: number, nowMs: number): void {
    this.held = share;
    this.#outstanding.push({ answers, share, sentAtMs: nowMs });
    if (this.#outstanding.length <= mostOutstanding) return;
    // Who never says what it applied fills no memory: the oldest two count as one, which is never too little.
    const [oldest, next] = this.#outstanding.splice(0, 2);
    if (oldest === undefined || next === undefined) return;
    this.#outstanding.unshift({ ...next, share: Math.max(oldest.share, next.share) });
  }

  /** All its grants have ended, and it was not heard. */
  lapse(nowMs: number, lateConnectMs: number): void {
    if (this.#lapsed !== undefined) return;
    const most = this.most(nowMs);
    this.#lapsed = { most, sinceMs: nowMs, lateUntilMs: nowMs + lateConnectMs };
    this.#outstanding = [];
    this.#unknown = false;
  }

  /** Rows at its address, from a listing that was asked for at `askedAtMs`. */
  list(rows: readonly SessionRow[], askedAtMs: number, nowMs: number): void {
    const before = this.#listed;
    this.#listed = new Map(
      rows.map((row) => {
        const known = before.get(row.port);
        const same = known?.row.startedAtMs === row.startedAtMs;
        return [row.port, { row, seenAtMs: same ? known.seenAtMs : nowMs }];
      }),
    );
    this.#listedAskedMs = askedAtMs;
    const former = this.#former;
    if (former === undefined || askedAtMs <= former.lateUntilMs) return;
    // What is listed may be its own: only with nothing left of it is it over.
    if (this.#unclaimed().length === 0) this.#former = undefined;
  }

  claims(port: number): boolean {
    return this.#claimed.has(port);
  }

  /** A listing is needed to tell what is left of it, or of its earlier boot. */
  unlisted(): boolean {
    const since = (this.#lapsed ?? this.#former)?.sinceMs;
    return since !== undefined && this.#listedAskedMs < since;
  }

  /** Sessions that the server may have of it at most, now and until the books say otherwise. */
  most(nowMs: number): number {
    const least = Math.max(this.floor, this.floorToBe);
    // A former leader's grant may run: nobody knows how much it was.
    if (this.#unknown) return unbounded;
    if (this.#lapsed !== undefined) return Math.max(least, this.#remains(this.#lapsed, nowMs));
    // What was listed and is not claimed may have been opened since the last heartbeat.
    const opened =
      this.#former === undefined ? this.#unclaimed().length - this.#strays().length : 0;
    let own = Math.max(least, this.share, this.#claimed.size + opened);
    for (const { share } of this.#outstanding) own = Math.max(own, share);
    return own + this.besides(nowMs);
  }

  /** Of `most`: what is not this boot's own. */
  besides(nowMs: number): number {
    if (this.#former === undefined) return this.#strays().length;
    return this.#remains(this.#former, nowMs);
  }

  /** Sessions to end: those of earlier boots, and above the floor those of a boot past its grants. Only right after a listing. */
  toTerminate(): SessionRow[] {
    if (this.#lapsed !== undefined) {
      if (this.#listedAskedMs < this.#lapsed.sinceMs) return [];
      const oldestFirst = [...this.#listed.values()]
        .map(({ row }) => row)
        .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
      return oldestFirst.slice(this.floor);
    }
    return this.#strays().map(({ row }) => row);
  }

  /** It said that it has nothing and will open nothing: its floor is free. */
  leave(): void {
    this.left = true;
    this.floor = 0;
    this.floorToBe = 0;
    this.share = 0;
    this.held = 0;
    this.#outstanding = [];
  }

  /** Ports that it claimed before the last listing was asked for, and that were not in it. */
  gone(): number[] {
    return [...this.#claimed]
      .filter(([port, sinceMs]) => sinceMs < this.#listedAskedMs && !this.#listed.has(port))
      .map(([port]) => port);
  }

  #claim(ports: readonly number[], nowMs: number): void {
    const before = this.#claimed;
    this.#claimed = new Map(ports.map((port) => [port, before.get(port) ?? nowMs]));
    // What it does not name any more was closed by the server.
    for (const port of before.keys()) if (!this.#claimed.has(port)) this.#listed.delete(port);
  }

  #replace(boot: number, nowMs: number, lateConnectMs: number): void {
    const most = this.most(nowMs);
    this.#former = { most, sinceMs: nowMs, lateUntilMs: nowMs + lateConnectMs };
    this.boot = boot;
    this.left = false;
    this.#number = 0;
    this.#outstanding = [];
    this.#claimed = new Map();
    this.#listed = new Map();
    this.#listedAskedMs = -Infinity;
    this.#lapsed = undefined;
  }

  #unclaimed(): ListedRow[] {
    return [...this.#listed.values()].filter(({ row }) => !this.#claimed.has(row.port));
  }

  /** Nobody's: its last heartbeat knew of a grant that was sent after the row was listed, and would have claimed it. */
  #strays(): ListedRow[] {
    return this.#unclaimed().filter(({ seenAtMs }) => this.#knewOfMs > seenAtMs);
  }

  #remains({ most, sinceMs, lateUntilMs }: Former, nowMs: number): number {
    if (this.#listedAskedMs < sinceMs) return most;
    const late = nowMs < lateUntilMs ? Math.max(1, this.floor) : 0;
    const listed = this.#lapsed === undefined ? this.#unclaimed().length : this.#listed.size;
    return Math.min(most, listed + late);
  }
}
