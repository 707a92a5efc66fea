import type { Clock } from '../../../platform/clock.ts';
import type { Deadlines } from '../../../platform/deadlines.ts';
import type { LockAuthority } from './authority.ts';
import type { HeldGrant } from './held-grant.ts';

interface RenewalsParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly authority: LockAuthority;
  /** The authority does not know one of its locks any more. */
  readonly onGone: (grant: HeldGrant) => void;
}

/** The part of its time to live after which a grant is renewed. */
const due = 1 / 3;
/** The same, after an attempt that failed; nearer to its end half of what is left. */
const again = 1 / 10;
const soonestMs = 10;
const mostAtOnce = 500;

/** Renews grants at a third of their time to live, those that are due together in one request. */
export class Renewals {
  readonly #parts: RenewalsParts;
  #due: HeldGrant[] = [];

  constructor(parts: RenewalsParts) {
    this.#parts = parts;
  }

  /** A grant that is held now, or was renewed. */
  schedule(grant: HeldGrant): void {
    this.#scheduleIn(grant, grant.request.ttlMs * due);
  }

  /** It is renewed no more. */
  forget(grant: HeldGrant): void {
    if (grant.renewal !== undefined) this.#parts.deadlines.clear(grant.renewal);
    grant.renewal = undefined;
  }

  /** For its holder. Rejects when the authority cannot be asked. */
  async renewNow(grant: HeldGrant): Promise<void> {
    await this.#renew([grant]);
  }

  #scheduleIn(grant: HeldGrant, delayMs: number): void {
    const { clock, deadlines } = this.#parts;
    this.forget(grant);
    grant.renewal = deadlines.set(clock.now() + delayMs, () => this.#add(grant));
  }

  #add(grant: HeldGrant): void {
    if (this.#due.length === 0) queueMicrotask(() => this.#flush());
    this.#due.push(grant);
  }

  #flush(): void {
    const all = this.#due.filter(({ ended }) => ended === undefined);
    this.#due = [];
    for (let at = 0; at < all.length; at += mostAtOnce) {
      const grants = all.slice(at, at + mostAtOnce);
      this.#renew(grants).then(
        () => grants.forEach((grant) => this.#next(grant, false)),
        // They are lost when their time is over, not before.
        () => grants.forEach((grant) => this.#next(grant, true)),
      );
    }
  }

  #next(grant: HeldGrant, failed: boolean): void {
    if (grant.ended !== undefined) return;
    if (!failed) return this.schedule(grant);
    const leftMs = grant.endsAtMs - this.#parts.clock.now();
    this.#scheduleIn(grant, Math.max(soonestMs, Math.min(grant.request.ttlMs * again, leftMs / 2)));
  }

  async #renew(grants: readonly HeldGrant[]): Promise<void> {
    const locks = grants.flatMap((grant) => grant.locks.map((lock) => ({ grant, lock })));
    const renewals = await this.#parts.authority.renew(locks.map(({ lock }) => lock.claim));
    locks.forEach(({ grant, lock }, at) => {
      const renewal = renewals[at];
      if (renewal === undefined || renewal === 'gone') this.#parts.onGone(grant);
      else lock.sentAtMs = Math.max(lock.sentAtMs, renewal.sentAtMs);
    });
  }
}
