import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Call } from '../../platform/call.ts';
import type { PoolOptions } from './pool-options.ts';
import { WaitQueue } from './wait-queue.ts';

/** What a pool needs of its connections. */
export interface Poolable {
  /** False once it is broken or closed. */
  readonly usable: boolean;
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<void>;
  close(): void;
  /** Makes it fit for the next borrower, or rejects: it is then closed. `dirty` tells that its session was changed. */
  prepare(dirty: boolean): Promise<void>;
}

export interface PoolEvents {
  waited(ms: number): void;
  refused(): void;
  opened(): void;
  closed(): void;
}

interface PoolParts<C> {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: () => Promise<C>;
  readonly events: PoolEvents;
}

/** Where a connection is: free, used by readers that share it, lent to one borrower, being made fit, or on its way out. */
type Use = 'idle' | 'shared' | 'lent' | 'preparing' | 'closing';

interface Member<C> {
  readonly connection: C;
  readonly expiresAtMs: number;
  use: Use;
  readers: number;
  idleSinceMs: number;
}

interface Waiter<C> {
  readonly shares: boolean;
  readonly since: number;
  readonly grant: (member: Member<C>) => void;
  readonly refuse: (error: HoldfastError) => void;
}

/** A borrowed connection. It has to be given back exactly once. */
export interface Loan<C> {
  readonly connection: C;
  /** `dirty`: the session was changed and has to be reset first. Broken connections are noticed without a word. */
  giveBack(dirty?: boolean): void;
}

/** Readers on one connection before another is taken for them, and at most. */
const readersBeforeNext = 8;
const mostReaders = 32;
const mostConnecting = 8;
const maintainEveryMs = 1_000;
/** How long an overflow connection stays after use, so that a steady load above `max` does not reconnect for each call. */
const overflowLingerMs = 1_000;
const backoffBaseMs = 100;
const backoffMaxMs = 5_000;

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
  readonly #members = new Set<Member<C>>();
  readonly #queue = new WaitQueue<Waiter<C>>();
  #connecting = 0;
  #failures = 0;
  #downUntilMs = -Infinity;
  #lastFailure: HoldfastError | undefined;
  #stopRetry: (() => void) | undefined;
  #stopMaintenance: (() => void) | undefined;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(options: PoolOptions, parts: PoolParts<C>) {
    this.#options = options;
    this.#parts = parts;
    this.#maintain();
  }

  /** Connections by what they do; `connecting` ones count as well. */
  get counts(): Readonly<Record<Use | 'connecting' | 'waiting', number>> {
    const counts = {
      idle: 0,
      shared: 0,
      lent: 0,
      preparing: 0,
      closing: 0,
      connecting: this.#connecting,
      waiting: this.#queue.length,
    };
    for (const { use } of this.#members) counts[use] += 1;
    return counts;
  }

  /** Everything that is, or may soon be, a session on the server. */
  get size(): number {
    return this.#members.size + this.#connecting;
  }

  get options(): PoolOptions {
    return this.#options;
  }

  /** A connection for the caller alone. Rejects with POOL_EXHAUSTED, DATABASE_UNAVAILABLE, or what ended the call. */
  lend(call: Call): Promise<Loan<C>> | Loan<C> {
    const member = this.#queue.length === 0 ? this.#takeIdle() : undefined;
    if (member !== undefined) return this.#loan(member);
    return this.#wait(call, false).then((granted) => this.#loan(granted));
  }

  /** A connection for one statement that may run in a pipeline with others' statements. */
  share(call: Call): Promise<Loan<C>> | Loan<C> {
    const member = this.#queue.length === 0 ? this.#takeForReader() : undefined;
    if (member !== undefined) return this.#readerLoan(member);
    return this.#wait(call, true).then((granted) => this.#readerLoan(granted));
  }

  /** New sizes and times from now on. Nothing that runs is cut: what is too many is closed when it is given back. */
  resize(options: PoolOptions): void {
    this.#options = options;
    this.#trim();
    this.#pump();
  }

  /** Lends no more, refuses all who wait, and resolves when the last connection is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopMaintenance?.();
    this.#stopRetry?.();
    for (const waiter of this.#queue.drain()) waiter.refuse(this.#draining());
    for (const member of this.#members) if (member.use === 'idle') this.#close(member);
    if (this.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
    }
  }

  /** Most connections there may be. */
  get limit(): number {
    return this.#options.max + this.#options.overflow;
  }

  #takeIdle(): Member<C> | undefined {
    const { clock } = this.#parts;
    // The most recently used first: the others get old enough to be closed.
    let found: Member<C> | undefined;
    for (const member of this.#members) {
      if (member.use === 'idle' && (found === undefined || member.idleSinceMs > found.idleSinceMs))
        found = member;
    }
    if (found === undefined) return undefined;
    if (!found.connection.usable) {
      this.#close(found);
      return this.#takeIdle();
    }
    if (clock.now() - found.idleSinceMs >= this.#options.probeAfterMs) {
      this.#prepare(found, false);
      return undefined;
    }
    found.use = 'lent';
    return found;
  }

  #takeForReader(): Member<C> | undefined {
    let found: Member<C> | undefined;
    for (const member of this.#members) {
      if (member.use !== 'shared' || !member.connection.usable) continue;
      if (found === undefined || member.readers < found.readers) found = member;
    }
    if (found === undefined || found.readers >= readersBeforeNext) {
      const idle = this.#takeIdle();
      if (idle !== undefined) {
        idle.use = 'shared';
        idle.readers = 0;
        found = idle;
      } else if (found !== undefined) {
        if (this.#connecting === 0) this.#openMore(1);
        if (found.readers >= mostReaders) found = undefined;
      }
    }
    if (found !== undefined) found.readers += 1;
    return found;
  }

  #loan(member: Member<C>): Loan<C> {
    let out = true;
    return {
      connection: member.connection,
      giveBack: (dirty = false) => {
        if (!out) return;
        out = false;
        this.#release(member, dirty);
      },
    };
  }

  #readerLoan(member: Member<C>): Loan<C> {
    return {
      connection: member.connection,
      giveBack: () => {
        member.readers -= 1;
        if (member.readers === 0 && member.use === 'shared') this.#release(member, false);
        else if (this.#queue.length > 0) this.#pump();
      },
    };
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
    if (this.#closed || this.#members.size > this.limit || now >= member.expiresAtMs)
      this.#close(member);
  }

  #prepare(member: Member<C>, dirty: boolean): void {
    member.use = 'preparing';
    member.connection.prepare(dirty).then(
      () => {
        this.#idle(member);
        this.#pump();
      },
      () => {
        this.#close(member);
        this.#pump();
      },
    );
  }

  #close(member: Member<C>): void {
    if (member.use === 'closing') return;
    member.use = 'closing';
    member.connection.close();
    void member.connection.closed.then(() => {
      this.#members.delete(member);
      this.#parts.events.closed();
      if (this.#closed && this.size === 0) this.#emptied?.();
      this.#pump();
    });
  }

  #wait(call: Call, shares: boolean): Promise<Member<C>> {
    const { clock, events } = this.#parts;
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      events.refused();
      return Promise.reject(refusal);
    }
    const since = clock.now();
    return new Promise<Member<C>>((resolve, reject) => {
      const settle = (): void => {
        leave();
        stopTimer();
        unlisten();
        events.waited(clock.now() - since);
      };
      const waiter: Waiter<C> = {
        shares,
        since,
        grant: (member) => {
          settle();
          resolve(member);
        },
        refuse: (error) => {
          settle();
          reject(error);
        },
      };
      const leave = this.#queue.push(waiter, call.priority);
      const timeoutMs = Math.min(this.#options.acquireTimeoutMs, call.deadlineAtMs - since);
      const stopTimer = clock.after(timeoutMs, () => {
        events.refused();
        waiter.refuse(this.#exhausted(clock.now() - since));
      });
      const unlisten = call.onEnd((reason) => {
        // At its deadline the caller wants to know what it waited for, not that time passes.
        waiter.refuse(reason.kind === 'deadline' ? this.#exhausted(clock.now() - since) : reason);
      });
      this.#pump();
    });
  }

  #refusal(): HoldfastError | undefined {
    if (this.#closed) return this.#draining();
    if (this.#queue.length >= this.#options.queueLimit) return this.#exhausted(0);
    const downForMs = this.#downUntilMs - this.#parts.clock.now();
    if (downForMs > 0 && this.#members.size === 0 && this.#lastFailure !== undefined)
      return this.#unavailable(this.#lastFailure, downForMs);
    return undefined;
  }

  /** Serves the queue as far as connections go, and opens more when they do not. */
  #pump(): void {
    for (let head = this.#queue.peek(); head !== undefined; head = this.#queue.peek()) {
      const member = head.shares ? this.#takeForReader() : this.#takeIdle();
      if (member === undefined) break;
      this.#queue.shift();
      head.grant(member);
    }
    this.#openMore();
  }

  #openMore(wanted = this.#queue.length - this.#connecting): void {
    if (this.#closed || this.#parts.clock.now() < this.#downUntilMs) return;
    const missing = Math.max(wanted, this.#options.min - this.size);
    const room = Math.min(this.limit - this.size, mostConnecting - this.#connecting);
    for (let count = Math.min(missing, room); count > 0; count -= 1) void this.#open();
  }

  async #open(): Promise<void> {
    const { clock, random, open, events } = this.#parts;
    this.#connecting += 1;
    let connection: C;
    try {
      connection = await open();
    } catch (thrown) {
      this.#connecting -= 1;
      this.#openFailed(HoldfastError.from(thrown));
      if (this.#closed && this.size === 0) this.#emptied?.();
      return;
    }
    this.#connecting -= 1;
    this.#failures = 0;
    this.#lastFailure = undefined;
    const { maxLifetimeMs, lifetimeJitter } = this.#options;
    const now = clock.now();
    const expiresAtMs = now + maxLifetimeMs * (1 + lifetimeJitter * (2 * random() - 1));
    const member: Member<C> = {
      connection,
      expiresAtMs,
      use: 'idle',
      readers: 0,
      idleSinceMs: now,
    };
    this.#members.add(member);
    events.opened();
    void connection.closed.then(() => this.#close(member));
    this.#idle(member);
    this.#pump();
  }

  /** Waits longer after each failure (full jitter); while nothing is connected, callers are told at once. */
  #openFailed(failure: HoldfastError): void {
    const { clock, random } = this.#parts;
    this.#failures += 1;
    this.#lastFailure = failure;
    const waitMs =
      backoffBaseMs +
      random() * Math.min(backoffMaxMs, backoffBaseMs * 2 ** Math.min(this.#failures, 10));
    this.#downUntilMs = clock.now() + waitMs;
    this.#stopRetry?.();
    this.#stopRetry = clock.after(waitMs, () => this.#pump());
    const full = failure.metadata['sqlstate']?.startsWith('533') === true;
    if (this.#members.size === 0 && this.#connecting === 0 && !full) {
      for (const waiter of this.#queue.drain()) waiter.refuse(this.#unavailable(failure, waitMs));
    }
  }

  #maintain(): void {
    this.#trim();
    this.#pump();
    this.#stopMaintenance = this.#parts.clock.after(maintainEveryMs, () => this.#maintain());
  }

  #trim(): void {
    const now = this.#parts.clock.now();
    const { min, max, idleTimeoutMs } = this.#options;
    let open = 0;
    for (const { use } of this.#members) if (use !== 'closing') open += 1;
    const idle = [...this.#members]
      .filter(({ use }) => use === 'idle')
      .toSorted((a, b) => a.idleSinceMs - b.idleSinceMs);
    for (const member of idle) {
      const idleMs = now - member.idleSinceMs;
      const tooMany =
        open > this.limit ||
        (open > max && idleMs >= overflowLingerMs) ||
        (open > min && idleMs >= idleTimeoutMs);
      if (!tooMany && now < member.expiresAtMs && member.connection.usable) continue;
      this.#close(member);
      open -= 1;
    }
  }

  #exhausted(waitedMs: number): HoldfastError {
    const { name } = this.#parts;
    const { acquireTimeoutMs } = this.#options;
    const waiting = this.#queue.length;
    return new HoldfastError(
      'exhausted',
      'POOL_EXHAUSTED',
      `no connection of pool "${name}" became free in ${Math.round(waitedMs)} ms; all ${this.limit} are in use and ${waiting} callers wait`,
      {
        target: name,
        retryAfterMs: Math.max(50, Math.round(acquireTimeoutMs / 10)),
        metadata: {
          queue_length: `${waiting}`,
          waited_ms: `${Math.round(waitedMs)}`,
          connections: `${this.#members.size}`,
        },
      },
    );
  }

  #unavailable(
    { message, reason, metadata, cause }: HoldfastError,
    retryAfterMs: number,
  ): HoldfastError {
    return new HoldfastError('unavailable', reason, message, {
      cause,
      target: this.#parts.name,
      retryAfterMs: Math.ceil(retryAfterMs),
      metadata,
    });
  }

  #draining(): HoldfastError {
    return new HoldfastError('unavailable', 'DRAINING', 'the sidecar is shutting down', {
      target: this.#parts.name,
    });
  }
}
