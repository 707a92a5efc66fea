import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { poolExhausted } from './pool-errors.ts';
import type { Member, Poolable, PoolMembers } from './pool-members.ts';
import { mostConnections, type PoolOptions } from './pool-options.ts';
import type { PoolWaiters } from './pool-waiters.ts';
import {
  budgetError,
  type Cuttable,
  freePermit,
  type JoinBudget,
  type SessionBudget,
  type SessionHolder,
  type SessionPermit,
} from './session-budget.ts';

interface Parts {
  readonly name: string;
  readonly clock: Clock;
  readonly joinBudget?: JoinBudget | undefined;
}

interface Held<C> {
  readonly members: PoolMembers<C & Poolable>;
  readonly waiters: PoolWaiters<C>;
  readonly sessions: () => number;
  readonly options: () => PoolOptions;
  readonly close: (member: Member<C>) => void;
  readonly pump: () => void;
}

/** What was used within the last second is in use: between two short statements a connection is idle for an instant. */
const usedWithinMs = 1_000;

/** A pool under a connection budget, if there is one: what it asks of the budget, and what the budget asks of it. */
export class PoolBudget<C extends Poolable> implements SessionHolder {
  readonly pool: string;
  readonly leastShare = 1;
  readonly #clock: Clock;
  readonly #held: Held<C>;
  readonly #budget: SessionBudget | undefined;

  constructor({ name, clock, joinBudget }: Parts, held: Held<C>) {
    this.pool = name;
    this.#clock = clock;
    this.#held = held;
    this.#budget = joinBudget?.(this);
  }

  /** There are more than there may be: what becomes free is to be closed. */
  get isOver(): boolean {
    return this.#held.members.open > this.#limit || this.#budget?.isOver === true;
  }

  /** To be called before a connection is lent. */
  look(): void {
    this.#budget?.look();
  }

  reserve(): SessionPermit | undefined {
    return this.#budget === undefined ? freePermit : this.#budget.reserve();
  }

  /** Why a caller got no connection in time. */
  exhausted(waitedMs: number): HoldfastError {
    const { members, waiters } = this.#held;
    const { acquireTimeoutMs } = this.#held.options();
    const limit = this.#limit;
    const fault = this.sessions < limit ? this.#budget?.fault() : undefined;
    if (fault !== undefined) return fault;
    const [open, waiting] = [members.size, waiters.length];
    return poolExhausted(this.pool, { limit, open, waiting, waitedMs, acquireTimeoutMs });
  }

  /** It has nothing any more. */
  leave(): void {
    this.#budget?.leave();
  }

  get sessions(): number {
    return this.#held.sessions();
  }

  get waiting(): number {
    return this.#held.waiters.length;
  }

  get waitedMs(): number {
    const { first } = this.#held.waiters;
    return first === undefined ? 0 : this.#clock.now() - first.sinceMs;
  }

  get demand(): number {
    const used = this.#held.members.usedWithin(usedWithinMs, this.#clock.now());
    return Math.min(this.#limit, used + this.waiting);
  }

  closeIdle(count: number): number {
    const surplus = this.#held.members.idleOldestFirst().slice(0, count);
    for (const member of surplus) this.#held.close(member);
    return surplus.length;
  }

  get busy(): readonly Cuttable[] {
    return [...this.#held.members]
      .filter(({ use, connection }) => connection.usable && use !== 'closing' && use !== 'idle')
      .map(({ connection }) => ({
        loss: connection.loss,
        cut: () => connection.cut(this.#cut()),
      }));
  }

  room(): void {
    this.#held.pump();
  }

  get #limit(): number {
    return mostConnections(this.#held.options());
  }

  #cut(): HoldfastError {
    return budgetError(
      this.pool,
      `the connection was cut: the share of the connection budget of pool "${this.pool}" has ended`,
    );
  }
}
