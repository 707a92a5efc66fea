import type { Call } from '../../../platform/call.ts';

export type LockMode = 'exclusive' | 'shared' | 'semaphore';

/** What one request wants of one lock. */
export interface Claim {
  /** Checked: 1 to 200 bytes. */
  readonly name: string;
  readonly mode: LockMode;
  /** Of a semaphore: most holders at once; else 1. */
  readonly permits: number;
  /** Of the grant that it is for; unguessable, never used again. */
  readonly leaseId: string;
  /** The same owner gets the lock again while it holds it, with the same token; it is free after as many releases. A caller who names none has its lease id here. */
  readonly owner: string;
  readonly ttlMs: number;
}

/** A lock that was granted. */
export interface Granted {
  /** Larger than that of every earlier holder of the same name; 0n for semaphores. */
  readonly token: bigint;
  /** On the sidecar's monotonic clock, when the request was sent that the authority has confirmed: its time to live runs from here. */
  readonly sentAtMs: number;
}

/** What became of a renewal: from when its time to live runs, or that the authority does not know it (any more). */
export type Renewal = { readonly sentAtMs: number } | 'gone';

/** A lock as the authority has it. */
export interface LockReading {
  readonly name: string;
  readonly mode: LockMode;
  readonly holders: readonly {
    /** Empty when the holder named none. */
    readonly owner: string;
    readonly token: bigint;
    readonly expiresInMs: number;
    readonly count: number;
  }[];
  readonly waiting: number;
}

/**
 * Who grants locks. There is one for each policy, and it never changes because of a fault: while it cannot be asked nothing is granted.
 *
 * First come, first served across all sidecars, without polling: a release wakes the next waiter; the first one looks again when the holder's time to live
 * is over, and everyone does after a reconnect. A waiter whose sidecar is gone is skipped at once, one whose sidecar is stopped after a second. Writers do
 * not wait for readers who came after them.
 */
export interface LockAuthority {
  readonly kind: 'redis' | 'postgres';
  /**
   * Resolves when the lock is granted. Rejects with LOCK_HELD at `latestAtMs` of the clock (not later; with `latestAtMs` now or earlier without waiting),
   * with what ended the call, or with why the authority cannot be asked; then neither is anything held, nor does anything wait, in the end: what may
   * have been granted while its answer was lost is released, or expires.
   */
  acquire(claim: Claim, call: Call, latestAtMs: number): Promise<Granted>;
  /** Renews all of these, in one round trip. Rejects when the authority cannot be asked: that loses nothing yet. */
  renew(claims: readonly Claim[]): Promise<readonly Renewal[]>;
  /** Resolves with whether it was held. Repeated inside while its time to live lasts; rejects when the authority cannot be asked. */
  release(claim: Claim): Promise<boolean>;
  /** In byte order of names. */
  list(prefix: string, limit: number, call: Call): Promise<readonly LockReading[]>;
  /** Takes it from all holders, and tells their sidecars (`onForced`). Resolves with how many there were. */
  forceRelease(name: string, call: Call): Promise<number>;
  close(): Promise<void>;
}

/** What an authority tells by itself. */
export interface AuthorityEvents {
  /** A lock that was granted through this sidecar was taken away. */
  onForced(name: string): void;
}
