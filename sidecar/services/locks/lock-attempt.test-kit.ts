import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { Call, cancelled } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Claim, Granted, LockAuthority } from './authority.ts';

/** An authority with connections of its own, as another sidecar has it. */
export interface SuiteAuthority extends AsyncDisposable {
  readonly authority: LockAuthority;
  /** Names of locks that were taken away. */
  readonly forced: readonly string[];
  /** As a sidecar that is killed: its connections are cut, and it takes nothing back. */
  die(): Promise<void>;
}

/** Of a request of its own; without an owner its lease stands for it. */
export function newClaim(name: string, more: Partial<Claim> = {}): Claim {
  const leaseId = randomUUID();
  return { name, mode: 'exclusive', permits: 1, leaseId, owner: leaseId, ttlMs: 30_000, ...more };
}

export const plainCall = (): Call =>
  new Call({ scope: { onClose: () => () => {}, push: () => {} }, deadlineAtMs: Infinity });

/** An acquire that is under way. */
export class Attempt {
  readonly claim: Claim;
  readonly by: SuiteAuthority;
  readonly call = plainCall();
  readonly done: Promise<Granted | undefined>;
  granted: Granted | undefined;
  /** Reason of its refusal. */
  refused: string | undefined;
  tookMs = 0;

  /** Waits at most `waitMs`; 0 is not at all. */
  constructor(by: SuiteAuthority, claim: Claim, waitMs = 60_000) {
    this.by = by;
    this.claim = claim;
    const startedAtMs = performance.now();
    const latestAtMs = waitMs === 0 ? 0 : startedAtMs + waitMs;
    this.done = by.authority
      .acquire(claim, this.call, latestAtMs)
      .then(
        (granted) => (this.granted = granted),
        (error: unknown) => {
          this.refused = HoldfastError.from(error).reason;
          return undefined;
        },
      )
      .finally(() => (this.tookMs = performance.now() - startedAtMs));
  }

  get state(): string {
    return this.granted === undefined ? (this.refused ?? 'waiting') : 'granted';
  }

  cancel(): void {
    this.call.end(cancelled());
  }

  release(): Promise<boolean> {
    return this.by.authority.release(this.claim);
  }
}

/** Until so many wait for the lock, as the authority tells it. */
export async function untilWaiting(by: SuiteAuthority, name: string, count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const readings = await by.authority.list(name, 10, plainCall());
        return readings.find((each) => each.name === name)?.waiting ?? 0;
      },
      { timeout: 20_000, interval: 3 },
    )
    .toBe(count);
}
