import type { Claim, LockMode } from './authority.ts';

/** What a request came to. */
type Fate = 'granted' | 'waiting' | 'LOCK_HELD' | 'CANCELLED';

interface Owner {
  readonly mode: LockMode;
  readonly leases: Set<string>;
}

/** One lock as it should be, written without a look at any authority. Time does not pass in it. */
export class LockModel {
  readonly #owners = new Map<string, Owner>();
  #queue: Claim[] = [];
  /** By lease. */
  readonly fates = new Map<string, Fate>();

  get waiting(): number {
    return this.#queue.length;
  }

  /** Grants of each owner, the most first. */
  get counts(): readonly number[] {
    return [...this.#owners.values()].map(({ leases }) => leases.size).toSorted((a, b) => b - a);
  }

  get isFree(): boolean {
    return this.#owners.size === 0 && this.#queue.length === 0;
  }

  acquire(claim: Claim, waits: boolean): void {
    const own = this.#owners.get(claim.owner);
    if (own !== undefined) {
      if (own.mode === claim.mode) own.leases.add(claim.leaseId);
      this.fates.set(claim.leaseId, own.mode === claim.mode ? 'granted' : 'LOCK_HELD');
    } else if (this.#queue.length === 0 && this.#fits(claim)) {
      this.#grant(claim);
    } else if (waits) {
      this.fates.set(claim.leaseId, 'waiting');
      this.#queue.push(claim);
    } else this.fates.set(claim.leaseId, 'LOCK_HELD');
  }

  /** Whether it was held. */
  release({ leaseId, owner }: Claim): boolean {
    const own = this.#owners.get(owner);
    if (own?.leases.delete(leaseId) !== true) return false;
    if (own.leases.size === 0) this.#owners.delete(owner);
    this.#advance();
    return true;
  }

  cancel({ leaseId }: Claim): void {
    if (this.fates.get(leaseId) !== 'waiting') return;
    this.fates.set(leaseId, 'CANCELLED');
    this.#queue = this.#queue.filter((each) => each.leaseId !== leaseId);
    this.#advance();
  }

  /** How many held it. */
  force(): number {
    const { size } = this.#owners;
    this.#owners.clear();
    this.#advance();
    return size;
  }

  #advance(): void {
    for (let head = this.#queue[0]; head !== undefined && this.#fits(head); head = this.#queue[0]) {
      this.#queue.shift();
      this.#grant(head);
    }
  }

  #fits({ mode, permits }: Claim): boolean {
    const [held] = this.#owners.values();
    if (held === undefined) return true;
    if (held.mode !== mode) return false;
    return mode === 'shared' || (mode === 'semaphore' && this.#owners.size < permits);
  }

  #grant(claim: Claim): void {
    this.#owners.set(claim.owner, { mode: claim.mode, leases: new Set([claim.leaseId]) });
    this.fates.set(claim.leaseId, 'granted');
    // It need not wait for itself.
    const others = this.#queue.filter(({ owner }) => owner === claim.owner);
    this.#queue = this.#queue.filter(({ owner }) => owner !== claim.owner);
    for (const each of others) this.acquire(each, false);
  }
}
