import type { HoldfastError } from '../../platform/errors.ts';
import type { Call } from '../../platform/call.ts';
import { PoolBudget } from './pool-budget.ts';
import { mayPass, poolClosed, poolUnavailable } from './pool-errors.ts';
import { makeLoan, type Loan } from './pool-loan.ts';
import {
  PoolMembers,
  preparePatienceMs,
  type Member,
  type Poolable,
  type Use,
} from './pool-members.ts';
import { PoolOpener } from './pool-opener.ts';
import { mostConnections, type PoolOptions } from './pool-options.ts';
import type { PoolParts } from './pool-parts.ts';
import { PoolWaiters } from './pool-waiters.ts';

/** Readers on one connection before another is taken for them. */
const readersBeforeNext = 8;
const maintainEveryMs = 1_000;

/**
 * Connections to one database, lent to one borrower at a time or shared by statements that only read.
 *
 * Members move idle → lent → (preparing →) idle, idle ⇄ shared, and from anywhere to closing. Whoever cannot be served at once waits in one queue;
 * nobody overtakes within a priority, so neither borrowers nor readers starve. Closing connections count until they are gone: the server
 * never sees more than `max + overflow`.
 */
export class Pool<C extends Poolable> {
  readonly #parts: PoolParts<C>;
  #options: PoolOptions;
  readonly #members = new PoolMembers<C>();
  readonly #waiters: PoolWaiters<C>;
  readonly #opener: PoolOpener<C>;
  readonly #budget: PoolBudget<C>;
  #stopMaintenance: (() => void) | undefined;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(options: PoolOptions, parts: PoolParts<C>) {
    this.#options = options;
    this.#parts = parts;
    this.#waiters = new PoolWaiters({
      clock: parts.clock,
      exhausted: (waitedMs) => this.#budget.exhausted(waitedMs),
      onRefused: () => {
        parts.events.refused();
        this.#pump(); // whoever is first now may be served by what the one before could not use
      },
      onWaited: (ms) => parts.events.waited(ms),
    });
    this.#budget = new PoolBudget(parts, {
      members: this.#members,
      waiters: this.#waiters,
      sessions: () => this.size,
      options: () => this.#options,
      close: (member) => this.#close(member),
      pump: () => this.#pump(),
    });
    this.#opener = new PoolOpener({
      ...parts,
      reserve: () => this.#budget.reserve(),
      onOpened: (connection, outdated) => this.#opened(connection, outdated),
      onFailed: (failure, retryInMs) => this.#openFailed(failure, retryInMs),
      onRetry: () => this.#pump(),
    });
    this.#maintain();
  }

  /** Connections by what they do, and callers that wait. */
  get counts(): Readonly<Record<Use | 'connecting' | 'waiting', number>> {
    const [connecting, waiting] = [this.#opener.opening, this.#waiters.length];
    return { ...this.#members.counts, connecting, waiting };
  }

  /** Everything that is, or may soon be, a session on the server. */
  get size(): number {
    return this.#members.size + this.#opener.opening;
  }

  get options(): PoolOptions {
    return this.#options;
  }

  /** A connection for the caller alone. Rejects with POOL_EXHAUSTED, DATABASE_UNAVAILABLE, or what ended the call. */
  lend(call: Call): Promise<Loan<C>> | Loan<C> {
    const member = this.#waiters.length === 0 ? this.#takeIdle() : undefined;
    if (member !== undefined) return this.#loan(member);
    return this.#wait(call, false).then((granted) => this.#loan(granted));
  }

  /** A connection for one statement that may run in a pipeline with others' statements. */
  share(call: Call): Promise<Loan<C>> | Loan<C> {
    const member = this.#waiters.length === 0 ? this.#takeForReader() : undefined;
    if (member !== undefined) return this.#readerLoan(member);
    return this.#wait(call, true).then((granted) => this.#readerLoan(granted));
  }

  /** New sizes and times from now on. Nothing that runs is cut: what is too many is closed when it is given back. */
  resize(options: PoolOptions): void {
    this.#options = options;
    this.#trim();
    this.#pump();
  }

  /** Replaces every connection there is, one after the other within `overMs`, each when it is free. What is opened from now on is new already. */
  renew(overMs: number): void {
    this.#members.expire(this.#parts.clock.now(), overMs);
    this.#opener.renew();
    this.#pump();
  }

  /** Lends no more, refuses all who wait, and resolves when the last connection is gone; what is still lent after `cutAfterMs` is cut. */
  async close(cutAfterMs = 1_000): Promise<void> {
    this.#closed = true;
    this.#stopMaintenance?.();
    this.#opener.stop();
    this.#waiters.refuseAll(poolClosed(this.#parts.name));
    this.#closeThose(({ use }) => use === 'idle');
    if (this.size === 0) return this.#tellEmptied();
    const stop = this.#parts.clock.after(cutAfterMs, () => this.#closeThose(() => true));
    await new Promise<void>((resolve) => (this.#emptied = resolve));
    stop();
  }

  /** Most connections there may be. */
  get limit(): number {
    return mostConnections(this.#options);
  }

  #takeIdle(): Member<C> | undefined {
    this.#budget.look();
    const found = this.#members.freshestIdle();
    if (found === undefined) return undefined;
    if (!found.connection.usable) {
      this.#close(found);
      return this.#takeIdle();
    }
    if (this.#parts.clock.now() - found.idleSinceMs >= this.#options.probeAfterMs) {
      if (this.#soonIdle < Math.max(1, this.#waiters.length)) this.#prepare(found, false);
      return undefined;
    }
    found.use = 'lent';
    return found;
  }

  #takeForReader(): Member<C> | undefined {
    if (this.#closed) return undefined;
    let found = this.#members.forReader(this.#parts.clock.now(), this.#budget.isOver);
    if (found === undefined || found.readers >= readersBeforeNext) {
      const idle = this.#takeIdle();
      if (idle !== undefined) {
        idle.use = 'shared';
        idle.readers = 0;
        found = idle;
      } else if (found !== undefined && this.#opener.opening === 0) {
        this.#openMore(1);
      }
    }
    if (found !== undefined) found.readers += 1;
    return found;
  }

  #loan(member: Member<C>): Loan<C> {
    const loan = makeLoan(member.connection, (dirty) => this.#release(member, dirty));
    member.onGone = loan.lose;
    return loan;
  }

  #readerLoan(member: Member<C>): Loan<C> {
    return makeLoan(member.connection, () => {
      member.readers -= 1;
      if (member.readers === 0 && member.use === 'shared') this.#release(member, false);
      else if (this.#waiters.length > 0) this.#pump();
    });
  }

  #release(member: Member<C>, dirty: boolean): void {
    if (!member.connection.usable) this.#close(member);
    else if (dirty) this.#prepare(member, true);
    else this.#idle(member);
    this.#pump();
  }

  #idle(member: Member<C>): void {
    const now = this.#parts.clock.now();
    member.use = 'idle';
    member.idleSinceMs = now;
    if (this.#closed || this.#budget.isOver || now >= member.expiresAtMs) this.#close(member);
  }

  #prepare(member: Member<C>, dirty: boolean): void {
    member.use = 'preparing';
    member.preparingSinceMs = this.#parts.clock.now();
    const stop = this.#parts.clock.after(preparePatienceMs, () => this.#pump());
    const prepared = member.connection.prepare(dirty).finally(stop);
    prepared.then(
      () => this.#release(member, false),
      () => this.#close(member),
    );
  }

  #close(member: Member<C>): void {
    if (member.use === 'closing') return;
    member.use = 'closing';
    member.connection.close();
    void member.connection.closed.then(() => {
      this.#members.delete(member);
      this.#parts.events.closed();
      this.#tellEmptied();
      this.#pump();
    });
  }

  #closeThose(those: (member: Member<C>) => boolean): void {
    for (const member of this.#members) if (those(member)) this.#close(member);
  }

  async #wait(call: Call, shares: boolean): Promise<Member<C>> {
    call.throwIfEnded();
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#parts.events.refused();
      throw refusal;
    }
    const leftMs = Math.max(0, call.deadlineAtMs - this.#parts.clock.now());
    const timeoutMs = Math.min(this.#options.acquireTimeoutMs, leftMs);
    const granted = this.#waiters.wait({ call, shares, timeoutMs });
    this.#pump();
    return granted;
  }

  #refusal(): HoldfastError | undefined {
    if (this.#closed) return poolClosed(this.#parts.name);
    if (this.#waiters.length >= this.#options.queueLimit) return this.#budget.exhausted(0);
    const { down } = this.#opener;
    // While some connection works the caller may wait for it; with none there is nothing to wait for.
    if (down === undefined || this.#members.size > 0 || mayPass(down.failure)) return undefined;
    return poolUnavailable(this.#parts.name, down.failure, down.forMs);
  }

  /** Serves the queue as far as connections go, and opens more when they do not. */
  #pump(): void {
    for (let first = this.#waiters.first; first !== undefined; first = this.#waiters.first) {
      const member = first.shares ? this.#takeForReader() : this.#takeIdle();
      if (member === undefined) break;
      this.#waiters.grantFirst(member);
    }
    this.#openMore();
  }

  get #soonIdle(): number {
    return this.#members.soonIdle(this.#parts.clock.now());
  }

  #openMore(wanted = this.#waiters.length - this.#opener.opening - this.#soonIdle): void {
    if (this.#closed) return;
    const missing = Math.max(wanted, this.#options.min - this.size);
    this.#opener.open(Math.min(missing, this.limit - this.size));
  }

  #opened(connection: C, outdated: boolean): void {
    const { clock, random, events } = this.#parts;
    const member = this.#members.add(connection, this.#options, clock.now(), random());
    events.opened();
    if (outdated) member.expiresAtMs = clock.now();
    void connection.closed.then(() => {
      member.onGone?.();
      this.#close(member);
    });
    this.#idle(member);
    this.#pump();
  }

  /** With nothing connected, those who wait are told at once. A full server is no failure to them: it may have room before their time is up. */
  #openFailed(failure: HoldfastError, retryInMs: number): void {
    if (this.#closed) return this.#tellEmptied();
    if (this.size > 0 || mayPass(failure)) return;
    this.#waiters.refuseAll(poolUnavailable(this.#parts.name, failure, retryInMs));
  }

  #maintain(): void {
    for (const { connection } of this.#members) connection.checkAnswer();
    this.#trim();
    this.#pump();
    this.#stopMaintenance = this.#parts.clock.after(maintainEveryMs, () => this.#maintain());
  }

  #trim(): void {
    const now = this.#parts.clock.now();
    for (const member of this.#members.surplus(this.#options, now)) this.#close(member);
  }

  #tellEmptied(): void {
    if (!this.#closed || this.size > 0) return;
    this.#budget.leave();
    this.#emptied?.();
  }
}
