import { HoldfastError } from './errors.ts';
import { holdStream } from './lock-stream.ts';
import type { CallOptions } from './options.ts';
import type { ServerStreams } from './server-streams.ts';
import type { Transport } from './transport.ts';
import {
  acquire,
  type AcquireRequest,
  forceRelease,
  type Grant,
  type LockList,
  type LockMode,
  type Loss,
  listLocks,
  releaseLock,
} from './wire/lock-messages.ts';

export interface LockOptions extends CallOptions {
  /** The default is `exclusive`. */
  readonly mode?: LockMode | undefined;
  /** Of a semaphore: most holders at once. */
  readonly permits?: number | undefined;
  /** After so long without renewal it is free; the sidecar renews it at a third of that. By default, and at most, what the policy says. */
  readonly ttlMs?: number | undefined;
  /** How long to wait for it: 0 is not at all, the default is until the call's deadline. */
  readonly waitMs?: number | undefined;
  /** The same owner gets the lock again while it has it; it is free after as many releases. */
  readonly owner?: string | undefined;
  /** The pool of the database that it protects: transactions there that name the lock cannot commit over a later holder. */
  readonly fence?: string | undefined;
  /** Longest time it is held, renewed or not. By default, and at most, what the policy says. */
  readonly maxHoldMs?: number | undefined;
}

interface Parts {
  readonly transport: Transport;
  readonly streams: ServerStreams;
  readonly deadlineMs: number;
}

/** Locks of the whole fleet. Costs nothing to make. */
export class Locks {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Waits for the lock, or for several, all or none. Fails with `LOCK_HELD` when it is not free in time. It is released at the end of an `await using`, and with
   * the connection to the sidecar.
   */
  async acquire(names: string | readonly string[], options: LockOptions = {}): Promise<Lock> {
    const request = requestOf(names, options);
    const { transport } = this.#parts;
    if (transport.watchLoss === undefined) return this.#hold(request, options);
    const grant = await transport.call(acquire, request, options);
    const { leaseId } = grant;
    const lock = new Lock(grant, async (how) => {
      unwatch();
      await transport.call(releaseLock, { leaseId }, how);
    });
    const unwatch = transport.watchLoss(leaseId, (loss) => lock.lose(loss));
    return lock;
  }

  /**
   * Runs `work` while it holds the lock. Fails with `LOCK_LOST` when the lock was lost before `work` was done, unless it has a `fence`: then its transactions have
   * said what became of them.
   */
  async withLock<T>(
    names: string | readonly string[],
    options: LockOptions,
    work: (lock: Lock) => Promise<T> | T,
  ): Promise<T> {
    await using lock = await this.acquire(names, options);
    const result = await work(lock);
    if (options.fence === undefined) lock.throwIfLost();
    return result;
  }

  /** Locks whose names begin so, in order; at most 1,000, 100 by default. */
  list(prefix = '', options: CallOptions & { readonly limit?: number } = {}): Promise<LockList> {
    return this.#parts.transport.call(listLocks, { prefix, limit: options.limit }, options);
  }

  /** Takes a lock from its holders, who are told. Gives how many there were. */
  forceRelease(name: string, options: CallOptions = {}): Promise<number> {
    return this.#parts.transport.call(forceRelease, { name }, options);
  }

  /** Outside of sessions a stream of its own holds it. */
  async #hold(request: AcquireRequest, options: LockOptions): Promise<Lock> {
    const { deadlineMs } = this.#parts;
    const longestMs = Math.min(options.deadlineMs ?? deadlineMs, 86_400_000);
    const waitMs = Math.min(request.waitMs ?? longestMs, longestMs);
    const { grant, end, onLost } = await holdStream(
      this.#parts.streams,
      { ...request, waitMs: Math.floor(waitMs) },
      options,
    );
    const lock = new Lock(grant, async (how) => {
      // The end of the stream releases too, but nobody would know when.
      const { leaseId } = grant;
      try {
        await this.#parts.transport.call(releaseLock, { leaseId }, how);
      } finally {
        await end();
      }
    });
    onLost((loss) => lock.lose(loss));
    return lock;
  }
}

/** A lock that is held, or several. */
export class Lock implements AsyncDisposable {
  readonly leaseId: string;
  /** In byte order. */
  readonly names: readonly string[];
  readonly #grant: Grant;
  readonly #release: (options: CallOptions) => Promise<void>;
  readonly #controller = new AbortController();
  #released = false;

  constructor(grant: Grant, release: (options: CallOptions) => Promise<void>) {
    this.#grant = grant;
    this.leaseId = grant.leaseId;
    this.names = grant.locks.map(({ name }) => name);
    this.#release = release;
  }

  /** Aborts when the lock is lost; its reason is the error, `LOCK_LOST`. Give it to what must not go on then. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Grows with each holder: for stores of your own that refuse a smaller one than they have seen. */
  token(name = this.names[0]): bigint {
    const found = this.#grant.locks.find((lock) => lock.name === name);
    if (found === undefined) throw HoldfastError.invalid('the lock has no such name');
    return found.token;
  }

  throwIfLost(): void {
    this.signal.throwIfAborted();
  }

  /** Fails with `LOCK_LOST` when it was lost before. Does nothing the second time. */
  async release(options: CallOptions = {}): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.throwIfLost();
    await this.#release(options);
  }

  /** For the client. */
  lose(loss: Loss): void {
    if (!this.#released) this.#controller.abort(lockLost(this.names, loss));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What cannot be released now is free when its time to live is over, or was lost, which `signal` has told.
    await this.release().catch(() => {});
  }
}

const requestOf = (
  names: string | readonly string[],
  { mode, permits, ttlMs, waitMs, owner, fence, maxHoldMs }: LockOptions,
): AcquireRequest => ({
  names: typeof names === 'string' ? [names] : names,
  mode,
  permits,
  ttlMs,
  waitMs,
  owner,
  fence,
  maxHoldMs,
});

const words: Readonly<Record<Loss, string>> = {
  expired: 'its time to live passed without a renewal',
  forced: 'it was taken away',
  'held too long': 'it was held for maxHoldMs',
  session: 'the connection to the sidecar broke',
};

const lockLost = (names: readonly string[], loss: Loss): HoldfastError =>
  new HoldfastError(
    'ABORTED',
    'LOCK_LOST',
    `the lock ${names.join(', ')} is lost: ${words[loss]}`,
    {
      metadata: { cause: loss.replaceAll(' ', '_') },
    },
  );
