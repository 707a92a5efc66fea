import { isDeepStrictEqual } from 'node:util';
import { mostLedgerEntries, type BudgetStatus } from '../../crds/budget-status.ts';
import type { ConnectionBudget } from '../../crds/connection-budget.ts';
import type { Grant as WireGrant } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { BudgetPorts } from './budget-ports.ts';
import { budgetStatus, ledgerOf, storedLedger } from './budget-status.ts';
import { Books } from './books.ts';
import type { ServerLimits } from './hard-limit.ts';
import { emptyLedger, succeed, type Ledger } from './ledger.ts';
import { Refusals } from './refusals.ts';
import { grantOf, heartbeatOf, limitsOf, type HeartbeatSender } from './wire-messages.ts';

const tickMs = 250;
const retryMs = 1_000;
/** Between writes of counts alone, and of anything while nothing of the ledger is new. */
const countsEveryMs = 5_000;
const conditionsEveryMs = 1_000;
/** A ledger is written whole: a long one less often. */
const ledgerEveryMs = ({ entries }: Ledger): number => tickMs + entries.length / 4;

const times = {
  /** The default of authentication_timeout. */
  lateConnectMs: 60_000,
  listEveryMs: 5_000,
  listAgainMs: 1_000,
  forgetAfterMs: 60_000,
  mostPods: mostLedgerEntries,
};

/** The books as they are open, and what of them is on the API server. */
interface Open {
  readonly books: Books;
  readonly uid: string | undefined;
  /** As this keeper wrote or read it last. */
  stored: ConnectionBudget;
  writtenAtMs: number;
}

/**
 * Keeps one budget while this replica leads: takes its ledger over, answers heartbeats, writes what is new. Each write names the resourceVersion that it
 * replaces; when the ledger turns out to be another's, the books close, and open again only behind a ledger that was taken over anew.
 */
export class BudgetKeeper {
  readonly #name: string;
  readonly #ports: BudgetPorts;
  readonly #stopping = new AbortController();
  readonly #names = new Map<string, { name: string; namespace: string }>();
  #budget: ConnectionBudget;
  #open: Open | undefined;
  #limits: ServerLimits | undefined;
  #refusals = new Refusals();
  #busy = false;
  #notBeforeMs = -Infinity;
  #stopTimer: () => void = () => {};

  /** `budget` from the watch: it is looked at on the API server before anything is granted. */
  constructor(budget: ConnectionBudget, ports: BudgetPorts) {
    this.#name = budget.metadata.name;
    this.#budget = budget;
    this.#ports = ports;
    this.#tick();
  }

  /** Another spec, from the watch. */
  configure(budget: ConnectionBudget): void {
    this.#budget = budget;
    this.#open?.books.configure(budget.spec, this.#ports.clock.now());
  }

  /** The answer to a heartbeat: none before the ledger is taken over, to pods that may not use the budget, and when another may lead. */
  answer(sender: HeartbeatSender, heartbeat: Heartbeat__Output): WireGrant | undefined {
    const { clock, metrics, mayUse, podIp } = this.#ports;
    const { podUid, podName, namespace } = sender.pod;
    const books = this.#open?.books;
    if (books === undefined) return undefined;
    const taken = heartbeatOf(sender, heartbeat, podIp(podUid));
    if (taken === undefined || !mayUse(this.#budget, namespace)) {
      metrics.refused(this.#name, taken === undefined ? 'malformed' : 'namespace');
      return undefined;
    }
    this.#names.set(podUid, { name: podName, namespace });
    metrics.serverRefused(this.#name, this.#refusals.count(taken, Number(heartbeat.refusals)));
    this.#limits = limitsOf(heartbeat) ?? this.#limits;
    const grant = books.answer(taken, clock.now());
    if (grant === undefined) return undefined;
    metrics.granted(this.#name, grant.terminate.length);
    return grantOf(this.#name, grant);
  }

  /** For metrics; undefined while the books are closed. */
  get view(): ({ readonly room: number; readonly free: number } & Books['summary']) | undefined {
    const books = this.#open?.books;
    return books && { room: books.room, free: books.free, ...books.summary };
  }

  /** Ends its timer and what is under way; nothing is written any more. */
  stop(): void {
    this.#stopTimer();
    this.#stopping.abort(new Error('this replica keeps the budget no more'));
    this.#open = undefined;
  }

  #tick(): void {
    const { clock } = this.#ports;
    this.#stopTimer = clock.after(tickMs, () => this.#tick());
    const nowMs = clock.now();
    this.#open?.books.podsDeleted(this.#ports.podIsGone);
    this.#open?.books.tick(nowMs);
    if (this.#busy || nowMs < this.#notBeforeMs) return;
    this.#busy = true;
    void this.#write().finally(() => {
      this.#busy = false;
    });
  }

  async #write(): Promise<void> {
    const { isLeading, clock, log, metrics } = this.#ports;
    try {
      if (!isLeading()) return;
      if (this.#open === undefined) await this.#takeOver();
      else await this.#writeNews(this.#open);
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return;
      this.#notBeforeMs = clock.now() + retryMs;
      metrics.written(this.#name, 'failed');
      log.warn({ budget: this.#name, err: thrown }, 'the ledger of a budget was not written');
    }
  }

  /** The ledger of the leader before, with a higher epoch, is this one's when it is written. */
  async #takeOver(): Promise<void> {
    const { store, clock, log, metrics } = this.#ports;
    const { signal } = this.#stopping;
    const budget = await store.read(this.#name, signal);
    if (budget === undefined) {
      this.#notBeforeMs = clock.now() + retryMs;
      return;
    }
    const before = budget.status?.ledger;
    const former = before === undefined ? emptyLedger : ledgerOf(before, budget.spec.leaseMs);
    const ledger = {
      ...succeed(former, secondsSince2020(clock.wallNow())),
      leaseMs: Math.max(former.leaseMs, budget.spec.leaseMs),
    };
    for (const { pod, name = '', namespace = '' } of before?.entries ?? []) {
      this.#names.set(pod, { name, namespace });
    }
    const status = { ...budget.status, ledger: storedLedger(ledger, this.#names) };
    const stored = await store.writeStatus(budget, status, signal);
    metrics.written(this.#name, stored === undefined ? 'conflict' : 'written');
    if (stored === undefined || signal.aborted) return;
    const nowMs = clock.now();
    const options = { ...times, isLeading: this.#ports.isLeading };
    const books = new Books(ledger, budget.spec, options, nowMs);
    books.configure(this.#budget.spec, nowMs);
    this.#open = { books, uid: budget.metadata.uid, stored, writtenAtMs: nowMs };
    log.info({ budget: this.#name, epoch: ledger.epoch }, 'keeping the books of a budget');
  }

  async #writeNews(open: Open): Promise<void> {
    const { clock, store, metrics } = this.#ports;
    const { books, stored } = open;
    const { signal } = this.#stopping;
    const nowMs = clock.now();
    const ledger = books.ledgerWanted();
    const counts = this.#counts(open, nowMs);
    if (nowMs < open.writtenAtMs + this.#pauseMs(open, ledger, counts)) return;

    const { entries } = ledger ?? books.ledger;
    this.#forget(new Set(entries.map(({ pod }) => pod)));
    const status = { ...counts, ledger: storedLedger(ledger ?? books.ledger, this.#names) };
    const written = await store.writeStatus(stored, status, signal);
    if (signal.aborted) return;
    metrics.written(this.#name, written === undefined ? 'conflict' : 'written');
    if (written === undefined) return this.#lookAgain(open, ledger);
    open.stored = written;
    open.writtenAtMs = clock.now();
    if (ledger !== undefined) books.ledgerStored(ledger, clock.now());
  }

  /** A write met another resourceVersion: the spec has changed, or somebody else keeps the books. */
  async #lookAgain(open: Open, wanted: Ledger | undefined): Promise<void> {
    const { clock, store, log } = this.#ports;
    const { signal } = this.#stopping;
    const budget = await store.read(this.#name, signal);
    if (signal.aborted) return;
    const { epoch, version } = open.books.ledger;
    const found = budget?.status?.ledger;
    const same = budget?.metadata.uid === open.uid && found?.epoch === epoch;
    if (budget !== undefined && same && found.version === version) {
      open.stored = budget;
    } else if (budget !== undefined && same && found.version === wanted?.version) {
      // The answer to an earlier write was lost; since then more may have come to be wanted.
      open.stored = budget;
      open.books.ledgerFound(ledgerOf(found, budget.spec.leaseMs), clock.now());
    } else {
      this.#open = undefined;
      this.#notBeforeMs = clock.now() + retryMs;
      const other = { budget: this.#name, epoch, found: found?.epoch };
      log.warn(other, 'the ledger of a budget is not as it was written: its books are closed');
    }
  }

  #counts({ books, stored }: Open, nowMs: number): Omit<BudgetStatus, 'ledger'> {
    const { metadata, spec } = this.#budget;
    const facts = {
      generation: metadata.generation,
      terms: spec,
      summary: books.summary,
      free: books.free,
      grows: books.grows(nowMs),
      limits: this.#limits,
      refusals: this.#refusals.total,
      mostPods: times.mostPods,
    };
    return budgetStatus(facts, stored.status, this.#ports.clock.wallNow());
  }

  /** How long after the last write this one may be. */
  #pauseMs({ stored }: Open, ledger: Ledger | undefined, counts: BudgetStatus): number {
    if (ledger !== undefined) return ledgerEveryMs(ledger);
    const before = stored.status;
    // The API server has an order of fields of its own.
    if (!isDeepStrictEqual(before?.conditions, counts.conditions)) return conditionsEveryMs;
    const keys = ['pods', 'sessions', 'foreign', 'free', 'refusals'] as const;
    return keys.some((key) => before?.[key] !== counts[key]) ? countsEveryMs : Infinity;
  }

  #forget(known: ReadonlySet<string>): void {
    for (const pod of this.#names.keys()) if (!known.has(pod)) this.#names.delete(pod);
    this.#refusals.keep(known);
  }
}

/** An epoch for a budget without a ledger: higher than any that one of the same name had before. */
const secondsSince2020 = (wallNowMs: number): number =>
  Math.max(1, Math.floor(wallNowMs / 1_000) - 1_577_836_800);
