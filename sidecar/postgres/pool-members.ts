import type { HoldfastError } from '../../platform/errors.ts';
import type { PoolOptions } from './pool-options.ts';

/** How long an overflow connection stays after use, so that a steady load above `max` does not reconnect for each call. */
const overflowLingerMs = 1_000;

/** How long making a connection fit usually takes at most; whoever waits for it has another one opened then. */
export const preparePatienceMs = 250;
/** Most readers on one connection. */
const mostReaders = 32;

/** What a pool needs of its connections. */
export interface Poolable {
  /** False once it is broken or closed. */
  readonly usable: boolean;
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<void>;
  close(): void;
  /** Closes it when its server does not answer. */
  checkAnswer(): void;
  /** Makes it fit for the next borrower, or rejects: it is then closed. `dirty` tells that its session was changed. */
  prepare(dirty: boolean): Promise<void>;
  /** What is lost when it is cut now: 0 next to nothing … 4 a commit. */
  readonly loss: number;
  /** Ends it in the middle of its work, which fails with `reason`. */
  cut(reason: HoldfastError): void;
}

/** Where a connection is: free, used by readers that share it, lent to one borrower, being made fit, or on its way out. */
export type Use = 'idle' | 'shared' | 'lent' | 'preparing' | 'closing';

export interface Member<C> {
  readonly connection: C;
  /** When it is to be replaced, once it is free. */
  expiresAtMs: number;
  use: Use;
  /** Statements on it, while it is shared. */
  readers: number;
  idleSinceMs: number;
  preparingSinceMs: number;
  /** Tells whoever borrowed it last. One listener that is replaced: a listener for each loan would pile up for as long as the connection lives. */
  onGone?: () => void;
}

/** The connections of a pool, until the last of them is closed. */
export class PoolMembers<C extends Poolable> {
  readonly #all = new Set<Member<C>>();

  get size(): number {
    return this.#all.size;
  }

  /** Those that are not on their way out. */
  get open(): number {
    let open = 0;
    for (const { use } of this.#all) if (use !== 'closing') open += 1;
    return open;
  }

  get counts(): Record<Use, number> {
    const counts = { idle: 0, shared: 0, lent: 0, preparing: 0, closing: 0 };
    for (const { use } of this.#all) counts[use] += 1;
    return counts;
  }

  /** `chance` from 0 to 1 is where in the jitter its life ends. */
  add(
    connection: C,
    { maxLifetimeMs, lifetimeJitter }: PoolOptions,
    now: number,
    chance: number,
  ): Member<C> {
    const member: Member<C> = {
      connection,
      expiresAtMs: now + maxLifetimeMs * (1 + lifetimeJitter * (2 * chance - 1)),
      use: 'idle',
      readers: 0,
      idleSinceMs: now,
      preparingSinceMs: now,
    };
    this.#all.add(member);
    return member;
  }

  /** Ends their lives within `overMs`, one after the other. */
  expire(now: number, overMs: number): void {
    let nth = 0;
    for (const member of this.#all) {
      nth += 1;
      member.expiresAtMs = Math.min(member.expiresAtMs, now + (overMs * nth) / this.#all.size);
    }
  }

  delete(member: Member<C>): void {
    this.#all.delete(member);
  }

  [Symbol.iterator](): Iterator<Member<C>> {
    return this.#all.values();
  }

  /** The most recently used one: so the others get old enough to be closed. */
  freshestIdle(): Member<C> | undefined {
    let found: Member<C> | undefined;
    for (const member of this.#all) {
      if (
        member.use === 'idle' &&
        (found === undefined || member.idleSinceMs > found.idleSinceMs)
      ) {
        found = member;
      }
    }
    return found;
  }

  /** Those that are being made fit, and will be idle in a moment. */
  soonIdle(now: number): number {
    let soon = 0;
    for (const { use, preparingSinceMs } of this.#all) {
      if (use === 'preparing' && now - preparingSinceMs < preparePatienceMs) soon += 1;
    }
    return soon;
  }

  /**
   * The shared one with the fewest readers, none that is past its lifetime. While there are `tooMany` it is the one with the most: readers who
   * come and go without a pause would keep every one of them in use.
   */
  forReader(now: number, tooMany: boolean): Member<C> | undefined {
    let found: Member<C> | undefined;
    for (const member of this.#all) {
      const { use, readers, connection, expiresAtMs } = member;
      if (use !== 'shared' || readers >= mostReaders) continue;
      if (!connection.usable || now >= expiresAtMs) continue;
      const better =
        found === undefined || (tooMany ? readers > found.readers : readers < found.readers);
      if (better) found = member;
    }
    return found;
  }

  /** Those that were in use within the last `ms`. */
  usedWithin(ms: number, now: number): number {
    let used = 0;
    for (const { use, idleSinceMs } of this.#all) {
      if (use !== 'closing' && (use !== 'idle' || now - idleSinceMs < ms)) used += 1;
    }
    return used;
  }

  /** Idle ones to be closed: broken, expired, or more than the options allow, the longest idle first. */
  surplus({ min, max, overflow, idleTimeoutMs }: PoolOptions, now: number): readonly Member<C>[] {
    let { open } = this;
    const chosen: Member<C>[] = [];
    for (const member of this.idleOldestFirst()) {
      const idleMs = now - member.idleSinceMs;
      const tooMany =
        open > max + overflow ||
        (open > max && idleMs >= overflowLingerMs) ||
        (open > min && idleMs >= idleTimeoutMs);
      if (!tooMany && now < member.expiresAtMs && member.connection.usable) continue;
      chosen.push(member);
      open -= 1;
    }
    return chosen;
  }

  idleOldestFirst(): readonly Member<C>[] {
    return [...this.#all]
      .filter(({ use }) => use === 'idle')
      .toSorted((a, b) => a.idleSinceMs - b.idleSinceMs);
  }
}
