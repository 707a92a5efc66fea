import type { Claim } from './authority.ts';

/** What is expected of one request once nothing moves any more. */
type Fate = 'held' | 'waiting' | 'refused' | 'over';

interface Holder {
  readonly owner: string;
  readonly mode: Claim['mode'];
  readonly leases: Set<string>;
}

/**
 * A lock as it should be, written without regard to how it is done: a list of holders and a list of those who wait. Claims of which the time to live is
 * `shortMs` end as soon as they are granted, for whoever waits until nothing moves any more.
 */
export class ExpiringLockModel {
  readonly fates = new Map<string, Fate>();
  /** Every lease that was granted. */
  readonly granted = new Set<string>();
  /** Leases of first grants in their order; those of one group in any order. */
  readonly groups: string[][] = [];
  readonly #shortMs: number;
  #holders: Holder[] = [];
  #queue: Claim[] = [];

  constructor(shortMs: number) {
    this.#shortMs = shortMs;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Owners, and how often each one has it. */
  get holders(): readonly (readonly [string, number])[] {
    return this.#holders.map(({ owner, leases }) => [owner, leases.size]);
  }

  leases(fate: Fate): string[] {
    return [...this.fates].filter(([, each]) => each === fate).map(([lease]) => lease);
  }

  acquire(claim: Claim, waits: boolean): void {
    const own = this.#holders.find(({ owner }) => owner === claim.owner);
    if (own !== undefined) return this.#again(own, claim);
    if (!waits && (this.#queue.length > 0 || !this.#fits(claim))) {
      return void this.fates.set(claim.leaseId, 'refused');
    }
    this.fates.set(claim.leaseId, 'waiting');
    this.#queue.push(claim);
    this.#settle();
  }

  release(leaseId: string): void {
    const own = this.#holders.find(({ leases }) => leases.delete(leaseId));
    this.fates.set(leaseId, 'over');
    if (own?.leases.size === 0) this.#holders = this.#holders.filter((each) => each !== own);
    this.#settle();
  }

  cancel(leaseId: string): void {
    this.#queue = this.#queue.filter((claim) => claim.leaseId !== leaseId);
    this.fates.set(leaseId, 'over');
    this.#settle();
  }

  force(): void {
    for (const { leases } of this.#holders) {
      for (const lease of leases) this.fates.set(lease, 'over');
    }
    this.#holders = [];
    this.#settle();
  }

  /** Grants to all whose turn it is, group by group, until nobody ends by itself any more. */
  #settle(): void {
    for (;;) {
      const group: Claim[] = [];
      for (;;) {
        const head = this.#queue[0];
        if (head === undefined || !this.#fits(head)) break;
        this.#queue.shift();
        group.push(head);
        this.#grant(head);
      }
      if (group.length > 0) this.groups.push(group.map(({ leaseId }) => leaseId));
      const short = group.filter(({ ttlMs }) => ttlMs === this.#shortMs);
      if (short.length === 0) return;
      for (const { leaseId, owner } of short) {
        this.#holders = this.#holders.filter((each) => each.owner !== owner);
        this.fates.set(leaseId, 'over');
      }
    }
  }

  #grant({ owner, mode, leaseId }: Claim): void {
    const holder = { owner, mode, leases: new Set([leaseId]) };
    this.#holders.push(holder);
    this.#note(leaseId);
    // Others of this owner need not wait any longer.
    const same = this.#queue.filter((claim) => claim.owner === owner);
    this.#queue = this.#queue.filter((claim) => claim.owner !== owner);
    for (const claim of same) this.#again(holder, claim);
  }

  #again(own: Holder, { mode, leaseId }: Claim): void {
    if (own.mode !== mode) return void this.fates.set(leaseId, 'refused');
    own.leases.add(leaseId);
    this.#note(leaseId);
  }

  #note(leaseId: string): void {
    this.fates.set(leaseId, 'held');
    this.granted.add(leaseId);
  }

  #fits({ mode, permits }: Claim): boolean {
    if (this.#holders.length === 0) return true;
    if (this.#holders.some((holder) => holder.mode !== mode)) return false;
    return mode === 'shared' || (mode === 'semaphore' && this.#holders.length < permits);
  }
}
