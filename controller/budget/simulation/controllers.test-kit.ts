import { Books } from '../books.ts';
import type { BudgetTerms } from '../budget-terms.ts';
import { emptyLedger, succeed, type Ledger } from '../ledger.ts';
import type { Grant, Heartbeat } from '../share-messages.ts';
import { times } from './times.test-kit.ts';
import type { Timeline } from './timeline.test-kit.ts';

interface Leader {
  readonly books: Books;
  readonly name: number;
  leaseUntilMs: number;
  /** Cannot reach the API server: neither its Lease nor the ledger. */
  cutOff: boolean;
  crashed: boolean;
  frozen: boolean;
  /** What came while it was frozen. */
  backlog: (() => void)[];
  writing: boolean;
}

/** The controllers, and the API server that has their Lease and the ledger. */
export class Controllers {
  readonly #time: Timeline;
  readonly #terms: BudgetTerms;
  readonly #reply: (grant: Grant) => void;
  #ledger: Ledger = emptyLedger;
  #lease = { holder: 0, untilMs: 0 };
  readonly #looks: boolean;
  /** Which replica each sidecar is connected to. */
  readonly #streams = new Map<string, Leader>();
  readonly #deleted = new Set<string>();
  #leaders: Leader[] = [];
  #names = 0;
  /** Elections wait until then. */
  noneBeforeMs = 0;

  constructor(time: Timeline, terms: BudgetTerms, looks: boolean, reply: (grant: Grant) => void) {
    this.#time = time;
    this.#looks = looks;
    this.#terms = terms;
    this.#reply = reply;
    time.every(times.tickMs, () => this.#tick());
    this.#elect();
  }

  /** As the ledger has it: its pod may not have heard of it. */
  floorOf(name: string): number {
    return this.#ledger.entries.find(({ pod }) => pod === name)?.floor ?? 0;
  }

  /** To the replica that the sidecar is connected to; one that has lost the Lease sends it to the leader. */
  receive(heartbeat: Heartbeat): void {
    const { pod } = heartbeat;
    const newest = this.#leaders.at(-1);
    let leader = this.#streams.get(pod);
    if (leader === undefined || !this.#leaders.includes(leader)) leader = newest;
    // Keepalive finds some of the silent ones.
    if (leader?.frozen === true && this.#time.random() < 0.05) leader = newest;
    if (leader === undefined) return;
    this.#streams.set(pod, leader);
    const { books } = leader;
    this.#do(leader, () => {
      const grant = books.answer(heartbeat, this.#time.nowMs);
      if (grant !== undefined) this.#reply(grant);
      this.#write(leader);
      if (!this.#leads(leader)) this.#streams.delete(pod);
    });
  }

  podDeleted(pod: string): void {
    this.#deleted.add(pod);
  }

  crash(nextAfterMs: number): void {
    const leader = this.#leaders.at(-1);
    if (leader !== undefined) leader.crashed = true;
    this.noneBeforeMs = this.#time.nowMs + nextAfterMs;
  }

  freeze(forMs: number): void {
    const leader = this.#leaders.at(-1);
    if (leader === undefined) return;
    leader.frozen = true;
    this.#time.after(forMs, () => {
      leader.frozen = false;
      const { backlog } = leader;
      leader.backlog = [];
      for (const work of backlog) work();
    });
  }

  cutOff(forMs: number): void {
    const leader = this.#leaders.at(-1);
    if (leader === undefined) return;
    leader.cutOff = true;
    this.#time.after(forMs, () => (leader.cutOff = false));
  }

  #do(leader: Leader, work: () => void): void {
    if (leader.crashed) return;
    if (leader.frozen) leader.backlog.push(work);
    else work();
  }

  #tick(): void {
    this.#leaders = this.#leaders.filter(({ crashed }) => !crashed);
    for (const leader of this.#leaders) {
      if (leader.frozen) continue;
      if (!leader.cutOff && this.#lease.holder === leader.name) {
        this.#lease.untilMs = this.#time.nowMs + times.leaderLeaseMs;
        leader.leaseUntilMs = this.#lease.untilMs;
      }
      leader.books.podsDeleted((pod) => this.#deleted.has(pod));
      leader.books.tick(this.#time.nowMs);
      this.#write(leader);
    }
    if (this.#time.nowMs >= this.#lease.untilMs) this.#elect();
  }

  #elect(): void {
    const { nowMs } = this.#time;
    if (nowMs < this.noneBeforeMs) return;
    this.#leaders = this.#leaders.filter(({ frozen, cutOff }) => frozen || cutOff);
    const name = (this.#names += 1);
    this.#lease = { holder: name, untilMs: nowMs + times.leaderLeaseMs };
    this.#ledger = succeed(this.#ledger);
    const options = {
      ...times,
      mostPods: Infinity,
      isLeading: () => !this.#looks || this.#leads(leader),
    };
    const leader: Leader = {
      books: new Books(this.#ledger, this.#terms, options, nowMs),
      name,
      leaseUntilMs: this.#lease.untilMs,
      cutOff: false,
      crashed: false,
      frozen: false,
      backlog: [],
      writing: false,
    };
    this.#leaders.push(leader);
  }

  #leads({ leaseUntilMs }: Leader): boolean {
    return this.#time.nowMs < leaseUntilMs;
  }

  /** Compare and swap, which takes a moment; who fails leads no more. */
  #write(leader: Leader): void {
    if (leader.writing || leader.cutOff) return;
    const wanted = leader.books.ledgerWanted();
    if (wanted === undefined) return;
    leader.writing = true;
    this.#time.after(this.#time.between(5, 30), () => {
      const swapped = this.#ledger.version === wanted.version - 1;
      if (swapped) this.#ledger = wanted;
      this.#time.after(this.#time.between(5, 30), () => {
        this.#do(leader, () => {
          leader.writing = false;
          if (swapped) leader.books.ledgerStored(wanted, this.#time.nowMs);
          else leader.crashed = true;
        });
      });
    });
  }
}
