import type { Deadline } from '../../../platform/deadlines.ts';
import type { Claim, Granted, LockMode } from './authority.ts';
import type { LockRequest } from './lock-request.ts';

/** Why a grant was lost. */
export type Loss = 'expired' | 'forced' | 'held too long';

type LossListener = (loss: Loss) => void;

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
  /** Undefined while it is held. */
  ended: Loss | 'released' | undefined;
  /** Takes it off what it belongs to. */
  unlisten: (() => void) | undefined;
  /** When it is to be renewed next. */
  renewal: Deadline | undefined;
  #listener: LossListener | undefined;
  #more: Set<LossListener> | undefined;

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
    const { locks } = this;
    let sentAtMs = Infinity;
    for (let at = 0; at < locks.length; at += 1) {
      sentAtMs = Math.min(sentAtMs, (locks[at] as HeldLock).sentAtMs);
    }
    return sentAtMs + this.request.ttlMs;
  }

  /** Calls back once, when it is lost. */
  onLost(listener: LossListener): void {
    // Nearly every grant has one listener: no Set for that.
    if (this.#listener === undefined) this.#listener = listener;
    else (this.#more ??= new Set()).add(listener);
  }

  /** Takes a listener off again. */
  offLost(listener: LossListener): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#more?.delete(listener);
  }

  /** For who keeps it: tells that it is lost. */
  tellLost(loss: Loss): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.(loss);
    if (this.#more !== undefined) for (const each of this.#more) each(loss);
    this.#more = undefined;
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
