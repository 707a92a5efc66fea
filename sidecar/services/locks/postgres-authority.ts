import { Call, cancelled, deadlineExceeded, type Scope } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Safety } from '../../postgres/database.ts';
import type { Statement, StatementResult } from '../../postgres/exchange.ts';
import type { NotificationListener } from '../../postgres/notifications.ts';
import { type DecodedRow, decodeRows } from '../../postgres/result-decoder.ts';
import type {
  AuthorityEvents,
  Claim,
  Granted,
  LockAuthority,
  LockReading,
  Renewal,
} from './authority.ts';
import { PostgresAcquisition } from './postgres-acquisition.ts';
import {
  acquireStatement,
  type Answer,
  cancelStatement,
  forceStatement,
  listStatement,
  lockError,
  lookStatement,
  readAnswer,
  readList,
  readNews,
  releaseStatement,
  renewStatement,
} from './postgres-requests.ts';
import { Errands } from './errands.ts';
import { Looks } from './looks.ts';

/** What the authority needs of its database. */
interface LockDatabase {
  readonly name: string;
  query(statement: Statement, call: Call, safety: Safety): Promise<StatementResult>;
}

export interface PostgresAuthorityParts {
  readonly clock: Clock;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  /** Makes an id that no other sidecar has: letters, digits and dashes, at most 40. */
  readonly newId: () => string;
  /** The pool that the policy names; asked for each request. Throws UNKNOWN_POOL. */
  readonly database: () => LockDatabase;
  /** Of the same pool. */
  readonly notifications: {
    listen(channel: string, listener: NotificationListener): () => void;
  };
  /** The longest time to live that the policy allows. */
  readonly longestTtlMs: () => number;
  readonly events: AuthorityEvents;
}

/** Nothing is granted twice to a lease, and what was renewed may be renewed again. */
const repeatable: Safety = { idempotent: true };
/** Whether it was held is told once only. */
const once: Safety = {};
const alone: Scope = { onClose: () => () => {}, push: () => {} };
/** Whoever waits for the answer of a database that says nothing hears of it after so long. */
const patienceMs = 10_000;

/**
 * Locks in a PostgreSQL. All rules are in the functions of migrations 6 and 7, which take turns for each lock; what is granted there is on disk before it is told.
 * This sends the requests, looks again when it was told to, and cleans up after those who have given up.
 */
export class PostgresAuthority implements LockAuthority {
  readonly kind = 'postgres';
  readonly #parts: PostgresAuthorityParts;
  readonly #channel: string;
  readonly #looks: Looks;
  readonly #errands: Errands;
  /** By name and lease: several locks may be acquired under one lease. */
  readonly #acquisitions = new Map<string, Map<string, PostgresAcquisition>>();
  #unlisten: (() => void) | undefined;
  /** Of the session that listens. */
  #ticket: number | undefined;

  constructor(parts: PostgresAuthorityParts) {
    this.#parts = parts;
    this.#channel = `holdfast_locks_${parts.newId()}`;
    this.#errands = new Errands(parts);
    this.#looks = new Looks({ ...parts, look: (name, owed) => this.#look(name, owed) });
  }

  async acquire(claim: Claim, call: Call, latestAtMs: number): Promise<Granted> {
    const { name: pool } = this.#parts.database();
    call.throwIfEnded();
    this.#listen();
    const { clock, random } = this.#parts;
    return new Promise((resolve, reject) => {
      const acquisition = new PostgresAcquisition(
        claim,
        { call, latestAtMs },
        {
          clock,
          random,
          pool,
          isListening: () => this.#ticket !== undefined,
          ask: (claim, waits, place) => this.#acquire(claim, waits, place),
          withdraw: ({ name, leaseId, ttlMs }) => this.#withdraw(name, leaseId, ttlMs),
          look: (inMs, owed) => this.#looks.at(claim.name, inMs, owed),
          onOver: () => this.#forget(acquisition),
        },
        { resolve, reject },
      );
      this.#remember(acquisition);
      acquisition.ask();
    });
  }

  async renew(claims: readonly Claim[]): Promise<readonly Renewal[]> {
    if (claims.length === 0) return [];
    const sentAtMs = this.#parts.clock.now();
    const rows = await this.#withPatience((call) =>
      this.#ask(renewStatement(claims), call, repeatable),
    );
    return claims.map((_, at) => (rows[at]?.[0] === 't' ? { sentAtMs } : 'gone'));
  }

  async release(claim: Claim): Promise<boolean> {
    try {
      return await this.#releaseOnce(claim);
    } catch (thrown) {
      // Once more: the connection may have been one of before a restart.
      const wasLost = lost.has(HoldfastError.from(thrown).reason);
      try {
        // What the first one found nobody knows.
        if (wasLost) return (await this.#releaseOnce(claim)) || wasLost;
      } catch {
        // The first failure tells more.
      }
      this.#errands.run(() => this.#releaseOnce(claim), claim.ttlMs);
      throw lockError(thrown, this.#parts.database().name);
    }
  }

  async #releaseOnce(claim: Claim): Promise<boolean> {
    const [[held, pendingMs] = []] = await this.#withPatience(async (call) =>
      decodeRows(await this.#parts.database().query(releaseStatement(claim), call, once)),
    );
    this.#looks.at(claim.name, Number(pendingMs), true);
    return held === 't';
  }

  async list(prefix: string, limit: number, call: Call): Promise<readonly LockReading[]> {
    return readList(await this.#ask(listStatement(prefix, limit), call, repeatable));
  }

  async forceRelease(name: string, call: Call): Promise<number> {
    const [[holders, pendingMs] = []] = await this.#ask(forceStatement(name), call, once);
    this.#looks.at(name, Number(pendingMs), true);
    return Number(holders);
  }

  async close(): Promise<void> {
    this.#looks.close();
    for (const acquisition of this.#everyone) acquisition.end(cancelled());
    await this.#errands.close();
    this.#unlisten?.();
  }

  async #acquire(claim: Claim, waits: boolean, place: string | undefined): Promise<Answer> {
    const statement = acquireStatement(claim, {
      channel: this.#channel,
      ticket: this.#ticket,
      waits,
      place,
      longestTtlMs: this.#parts.longestTtlMs(),
    });
    // Those that were woken have a second to come.
    const [row] = await this.#ask(statement, backgroundCall(Infinity), repeatable);
    return readAnswer(row as DecodedRow);
  }

  /** Rejects with what the failure means to somebody who asks for a lock. */
  async #ask(statement: Statement, call: Call, safety: Safety): Promise<readonly DecodedRow[]> {
    const database = this.#parts.database();
    try {
      return decodeRows(await database.query(statement, call, safety));
    } catch (thrown) {
      throw lockError(thrown, database.name);
    }
  }

  /** For work that no caller's time ends. */
  async #withPatience<T>(work: (call: Call) => Promise<T>): Promise<T> {
    const { clock } = this.#parts;
    const call = backgroundCall(clock.now() + patienceMs);
    const stop = clock.after(patienceMs, () => call.end(deadlineExceeded()));
    try {
      return await work(call);
    } finally {
      stop();
    }
  }

  #listen(): void {
    this.#unlisten ??= this.#parts.notifications.listen(this.#channel, {
      listening: (ticket) => {
        this.#ticket = ticket;
        // What was told meanwhile may have been missed, and without its session a waiter counts as gone.
        for (const acquisition of this.#everyone) acquisition.ask();
      },
      lost: () => {
        this.#ticket = undefined;
      },
      notified: (payload) => this.#onNews(payload),
    });
  }

  #onNews(payload: string): void {
    const news = readNews(payload);
    switch (news?.kind) {
      case 'woken': {
        // If it is there no more it has the lock already, having asked by itself; or it has given up, and its withdrawal is on its way.
        this.#acquisitions.get(news.name)?.get(news.leaseId)?.ask();
        return;
      }
      case 'look':
        return this.#looks.at(news.name, news.inMs, false);
      case 'forced':
        return this.#parts.events.onForced(news.name);
      case undefined:
        return;
      default:
        return news satisfies never;
    }
  }

  #look(name: string, owed: boolean): void {
    // Its answer says when to look next; and it finds its place again if that was lost.
    const [first] = this.#acquisitions.get(name)?.values() ?? [];
    if (first !== undefined) return first.ask();
    if (owed) this.#errands.run(() => this.#lookAt(lookStatement(name), name), 0);
  }

  #withdraw(name: string, leaseId: string, forMs: number): void {
    this.#errands.run(() => this.#lookAt(cancelStatement(name, leaseId), name), forMs);
  }

  /** Runs a statement whose answer is when to look again. */
  async #lookAt(statement: Statement, name: string): Promise<void> {
    const [row] = await this.#withPatience((call) => this.#ask(statement, call, repeatable));
    this.#looks.at(name, Number(row?.[0]), true);
  }

  #remember(acquisition: PostgresAcquisition): void {
    const { leaseId, name } = acquisition.claim;
    const same = this.#acquisitions.get(name);
    if (same === undefined) this.#acquisitions.set(name, new Map([[leaseId, acquisition]]));
    else same.set(leaseId, acquisition);
  }

  #forget({ claim: { leaseId, name } }: PostgresAcquisition): void {
    const same = this.#acquisitions.get(name);
    same?.delete(leaseId);
    if (same?.size === 0) this.#acquisitions.delete(name);
  }

  get #everyone(): readonly PostgresAcquisition[] {
    return [...this.#acquisitions.values()].flatMap((same) => [...same.values()]);
  }
}

/** Failures after which the request may have been done. */
const lost: ReadonlySet<string> = new Set(['COMMIT_UNKNOWN', 'CONNECTION_LOST']);

const backgroundCall = (deadlineAtMs: number): Call =>
  new Call({ scope: alone, deadlineAtMs, priority: 'high' });
