import type { Claim, Granted, LockMode } from './authority.ts';
import type { LockRequest } from './lock-request.ts';

/** Why a grant was lost. */
export type Loss = 'expired' | 'forced' | 'held too long';

interface HeldLock {
  readonly claim: Claim;
  /** Of the authority. */
  readonly token: bigint;
  /** Of the database that the lock protects. */
  fence: bigint | undefined;
  /** When the last renewal that is confirmed was sent. */
  sentAtMs: number;
}

/** The locks of one Acquire, as far as it has them. Its time is over with the first of theirs. */
export class HeldGrant {
  readonly leaseId: string;
  readonly request: LockRequest;
  /** Whether the sidecar renews it; else its holder does. */
  readonly isKept: boolean;
  /** However often it is renewed; from its first lock on. */
  heldUntilMs = Infinity;
  readonly locks: HeldLock[] = [];
  /** Told once, when it is lost. */
  readonly listeners = new Set<(loss: Loss) => void>();
  /** Undefined while it is held. */
  ended: Loss | 'released' | undefined;
  /** Of what it belongs to, and of its next renewal. */
  unlisten: () => void = () => {};
  unwatch: () => void = () => {};

  constructor(leaseId: string, request: LockRequest, isKept: boolean) {
    this.leaseId = leaseId;
    this.request = request;
    this.isKept = isKept;
  }

  get mode(): LockMode {
    return this.request.mode;
  }

  /** When its time to live is over. */
  get endsAtMs(): number {
    let sentAtMs = Infinity;
    for (const lock of this.locks) sentAtMs = Math.min(sentAtMs, lock.sentAtMs);
    return sentAtMs + this.request.ttlMs;
  }

  /** What is to be asked for next. */
  claim(name: string): Claim {
    const { mode, permits, owner, ttlMs } = this.request;
    const { leaseId } = this;
    return { name, mode, permits, leaseId, owner: owner === '' ? leaseId : owner, ttlMs };
  }

  add(claim: Claim, { token, sentAtMs }: Granted, nowMs: number): HeldLock {
    this.heldUntilMs = Math.min(this.heldUntilMs, nowMs + this.request.maxHoldMs);
    const lock: HeldLock = { claim, token, fence: undefined, sentAtMs };
    this.locks.push(lock);
    return lock;
  }
}
