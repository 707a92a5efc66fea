import type { Call } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Deadlines } from '../../../platform/deadlines.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { TurnoverMap } from '../../../platform/turnover-map.ts';
import type { LockAuthority, LockMode } from './authority.ts';
import { HeldGrant, type Loss } from './held-grant.ts';
import { invalid, type LockRequest } from './lock-request.ts';
import { Renewals } from './renewals.ts';

/** The fence of one lock, as its database has it. */
export interface GrantFence {
  readonly lock: string;
  readonly mode: 'exclusive' | 'shared';
  readonly value: bigint;
}

export interface GrantEvents {
  /** How long it took to get it. */
  granted(mode: LockMode, waitedMs: number): void;
  lost(loss: Loss, names: readonly string[]): void;
}

interface GrantsParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly authority: LockAuthority;
  /** Draws the next fencing token of a lock from the database that it protects. */
  readonly raise: (
    pool: string,
    lock: string,
    mode: 'exclusive' | 'shared',
    call: Call,
  ) => Promise<bigint>;
  /** Unguessable. */
  readonly newId: () => string;
  readonly events: GrantEvents;
}

/** Grants that have ended and whose end is still told. */
const remembered = 10_000;

/**
 * What this sidecar holds: acquires, renews, and notices what is lost.
 *
 * A grant is lost at the instant when its time to live has passed since the last renewal that is confirmed was sent, on the monotonic clock; a renewal that
 * fails loses nothing by itself. Whoever was stopped for a while (SIGSTOP, a frozen machine) sees that before he does anything else: every call begins with `look`.
 */
export class Grants {
  readonly #parts: GrantsParts;
  readonly #held = new TurnoverMap<string, HeldGrant>();
  readonly #ended = new Map<string, Loss>();
  readonly #renewals: Renewals;
  /** Releases under way. */
  readonly #releasing = new Set<Promise<unknown>>();
  /** No grant ends before. */
  #looksAtMs = Infinity;
  #stopTimer: () => void = () => {};

  constructor(parts: GrantsParts) {
    this.#parts = parts;
    this.#renewals = new Renewals({ ...parts, onGone: (grant) => this.#lose(grant, 'forced') });
  }

  /** Grants that are held. */
  get size(): number {
    return this.#held.size;
  }

  /** Ends what is over by now. Cheap: it comes before everything that a call does. */
  look(nowMs: number): void {
    if (nowMs < this.#looksAtMs) return;
    let next = Infinity;
    for (const grant of this.#held.values()) {
      const { endsAtMs, heldUntilMs } = grant;
      if (grant.ended !== undefined) continue;
      if (nowMs >= endsAtMs) this.#lose(grant, 'expired');
      else if (nowMs >= heldUntilMs) this.#lose(grant, 'held too long');
      else next = Math.min(next, endsAtMs, heldUntilMs);
    }
    this.#looksAtMs = Infinity;
    this.#lookAt(next);
  }

  /** Resolves when all locks are held. It ends with the scope of the call if `isKept`, which renews it; else its holder renews it. */
  async acquire(request: LockRequest, call: Call, isKept: boolean): Promise<HeldGrant> {
    const { clock, authority, newId, events } = this.#parts;
    const startedAtMs = clock.now();
    const grant = new HeldGrant(newId(), request, isKept);
    const waitUntilMs = startedAtMs + (request.waitMs ?? Infinity);
    const latestAtMs = Math.min(waitUntilMs, call.deadlineAtMs);
    try {
      for (const name of request.names) {
        const claim = grant.claim(name);
        grant.add(claim, await authority.acquire(claim, call, latestAtMs), clock.now());
        // From the first one on: the wait for the next may be longer than its time to live.
        if (grant.locks.length === 1) this.#keep(grant);
        this.#throwIfOver(grant);
      }
      if (request.fence !== undefined) await this.#raise(grant, request.fence, call);
    } catch (error) {
      this.#giveUp(grant);
      throw error;
    }
    if (isKept) grant.unlisten = call.scope.onClose(() => this.#giveUp(grant));
    events.granted(request.mode, clock.now() - startedAtMs);
    this.#throwIfOver(grant);
    return grant;
  }

  /** Renews a grant for its holder; resolves with what is left of its time to live. Rejects with UNKNOWN_LEASE, LOCK_LOST. */
  async renew(leaseId: string): Promise<number> {
    const grant = this.#named(leaseId);
    await this.#renewals.renewNow(grant);
    this.#throwIfOver(grant);
    return grant.endsAtMs - this.#parts.clock.now();
  }

  /** Rejects with UNKNOWN_LEASE, or LOCK_LOST when it was lost before. */
  async release(leaseId: string): Promise<void> {
    const grant = this.#named(leaseId);
    this.#forget(grant, 'released');
    if (!(await this.#releaseAll(grant))) throw lockLost(grant.request.names, 'expired');
  }

  /** A lock was taken away. */
  force(name: string): void {
    for (const grant of this.#held.values()) {
      if (grant.request.names.includes(name)) this.#lose(grant, 'forced');
    }
  }

  /** The fences of leases, for a transaction on this pool. Throws INVALID_REQUEST, UNKNOWN_LEASE, LOCK_LOST. */
  fencesOf(leaseIds: readonly string[], pool: string): readonly GrantFence[] {
    return leaseIds.flatMap((leaseId) => {
      const { locks, mode, request } = this.#named(leaseId);
      if (request.fence !== pool || mode === 'semaphore') {
        throw invalid(`a lock that the transaction names was not acquired with fence "${pool}"`);
      }
      return locks.map(({ claim, fence }) => ({ lock: claim.name, mode, value: fence as bigint }));
    });
  }

  /** Calls back when one of them is lost; the result takes the listener off again. */
  onLost(leaseIds: readonly string[], listener: (reason: HoldfastError) => void): () => void {
    const grants = leaseIds.map((leaseId) => this.#named(leaseId));
    const offs = grants.map((grant) => {
      const lost = (loss: Loss): void => listener(lockLost(grant.request.names, loss));
      grant.onLost(lost);
      return () => grant.offLost(lost);
    });
    return () => offs.forEach((off) => off());
  }

  /** Releases everything, and waits for that at most as long as the authority takes. */
  async close(): Promise<void> {
    for (const grant of this.#held.values()) this.#giveUp(grant);
    this.#stopTimer();
    await Promise.allSettled(this.#releasing);
    await this.#parts.authority.close();
  }

  async #raise(grant: HeldGrant, pool: string, call: Call): Promise<void> {
    for (const lock of grant.locks) {
      const { claim, token } = lock;
      if (claim.mode === 'semaphore') continue;
      // Its own open transactions would have to end first, if whoever holds it already raised it again.
      lock.fence =
        this.#fenceOf(claim.name, token, pool, grant) ??
        (await this.#parts.raise(pool, claim.name, claim.mode, call));
      this.#throwIfOver(grant);
    }
  }

  /** The same token is the same hold: of one owner that has it again. */
  #fenceOf(name: string, token: bigint, pool: string, except: HeldGrant): bigint | undefined {
    if (except.request.owner === '') return undefined;
    for (const { locks, request } of this.#held.values()) {
      if (request.owner !== except.request.owner || request.fence !== pool) continue;
      const found = locks.find((lock) => lock.claim.name === name && lock.token === token);
      if (found?.fence !== undefined) return found.fence;
    }
    return undefined;
  }

  #keep(grant: HeldGrant): void {
    this.#held.set(grant.leaseId, grant);
    this.#lookAt(Math.min(grant.endsAtMs, grant.heldUntilMs));
    if (grant.isKept) this.#renewals.schedule(grant);
  }

  #lookAt(atMs: number): void {
    if (atMs >= this.#looksAtMs) return;
    this.#looksAtMs = atMs;
    this.#stopTimer();
    const { clock } = this.#parts;
    this.#stopTimer = clock.after(Math.max(0, atMs - clock.now()), () => {
      const nowMs = clock.now();
      if (nowMs >= this.#looksAtMs) return this.look(nowMs);
      // A timer of the system may ring up to a millisecond early.
      this.#looksAtMs = Infinity;
      this.#lookAt(atMs);
    });
  }

  #lose(grant: HeldGrant, loss: Loss): void {
    if (grant.ended !== undefined) return;
    this.#forget(grant, loss);
    this.#parts.events.lost(loss, grant.request.names);
    // What may be left of it: the locks beside the one that is gone, or one that was held for too long.
    this.#inBackground(this.#releaseAll(grant));
  }

  #giveUp(grant: HeldGrant): void {
    if (grant.ended !== undefined) return;
    this.#forget(grant, 'released');
    this.#inBackground(this.#releaseAll(grant));
  }

  #forget(grant: HeldGrant, end: Loss | 'released'): void {
    grant.ended = end;
    grant.unlisten?.();
    this.#renewals.forget(grant);
    if (!this.#held.delete(grant.leaseId)) return;
    if (end === 'released') return;
    this.#ended.set(grant.leaseId, end);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > remembered && oldest !== undefined) this.#ended.delete(oldest);
    grant.tellLost(end);
  }

  /** The last first. Resolves with whether all were still held. */
  #releaseAll({ locks }: HeldGrant): Promise<boolean> {
    const { authority } = this.#parts;
    const [only] = locks;
    if (only !== undefined && locks.length === 1) return authority.release(only.claim);
    return Promise.all(locks.toReversed().map(({ claim }) => authority.release(claim))).then(
      (held) => held.every(Boolean),
    );
  }

  #inBackground(releasing: Promise<unknown>): void {
    // What cannot be released is free when its time to live is over.
    const quiet: Promise<unknown> = releasing
      .catch(() => {})
      .finally(() => this.#releasing.delete(quiet));
    this.#releasing.add(quiet);
  }

  #named(leaseId: string): HeldGrant {
    this.look(this.#parts.clock.now());
    const grant = this.#held.get(leaseId);
    if (grant !== undefined) return grant;
    const loss = this.#ended.get(leaseId);
    if (loss !== undefined) throw lockLost([], loss);
    throw new HoldfastError(
      'not-found',
      'UNKNOWN_LEASE',
      'nothing of this lease id is held here: it was released, or is of another sidecar',
    );
  }

  #throwIfOver(grant: HeldGrant): void {
    this.look(this.#parts.clock.now());
    if (grant.ended === undefined) return;
    throw lockLost(grant.request.names, grant.ended === 'released' ? 'expired' : grant.ended);
  }
}

const words: Readonly<Record<Loss, string>> = {
  expired: 'its time to live passed without a renewal that the authority confirmed',
  forced: 'it was taken away, or the authority does not know it any more',
  'held too long': 'it was held for max_hold_ms',
};

/** What a holder is told. */
export const lockLost = (names: readonly string[], loss: Loss): HoldfastError =>
  new HoldfastError(
    'conflict',
    'LOCK_LOST',
    `the lock${names.length === 0 ? '' : ` ${names.map((name) => `"${name}"`).join(', ')}`} was lost: ${words[loss]}`,
    { metadata: { cause: loss.replaceAll(' ', '_') } },
  );
