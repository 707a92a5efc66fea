import type { Scope } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Deadlines } from '../../../platform/deadlines.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { TurnoverMap } from '../../../platform/turnover-map.ts';
import type { Micros } from '../../resilience/cost-ledger.ts';
import type { Outcome } from '../../resilience/outcome.ts';
import type { Entry } from '../../resilience/target.ts';

/** Why a permit ended without Exit. */
export type Expiry = 'lease' | 'session';

export interface PermitEvents {
  expired(target: string, cause: Expiry): void;
}

interface PermitParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Unguessable. */
  readonly newId: () => string;
  readonly events: PermitEvents;
}

interface OpenPermit {
  readonly target: string;
  readonly entry: Entry;
  /** Forgets the lease and the session. */
  readonly unlisten: () => void;
}

const mostPermits = 20_000;
const retryAfterMs = 100;

/** Who has entered and has not come out again. Shared by all calls. */
export class Permits {
  readonly #parts: PermitParts;
  readonly #open = new TurnoverMap<string, OpenPermit>();
  /** By target. */
  readonly #counts = new Map<string, number>();
  /** Places of those who wait for their turn. */
  #waiting = 0;

  constructor(parts: PermitParts) {
    this.#parts = parts;
  }

  /** Open permits. */
  get size(): number {
    return this.#open.size;
  }

  /** Open permits by target; those that had some are 0 now. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Waits for an entry, with a place kept for its permit. Throws CONCURRENCY_LIMIT when there is none. */
  async holdPlace(target: string, enter: () => Entry | Promise<Entry>): Promise<Entry> {
    if (this.#open.size + this.#waiting >= mostPermits) throw tooMany(target);
    this.#waiting += 1;
    try {
      return await enter();
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Gives a permit an id. It ends with the scope, if that outlives the call, and after `leaseMs` unless that is 0. */
  open(target: string, entry: Entry, scope: Scope, leaseMs: number): string {
    const { clock, deadlines, newId } = this.#parts;
    const id = newId();
    const unwatch =
      leaseMs === 0
        ? undefined
        : deadlines.watch(clock.now() + leaseMs, () => this.#expire(id, 'lease'));
    this.#count(target, 1);
    let unlisten = (): void => {};
    this.#open.set(id, {
      target,
      entry,
      unlisten: () => {
        unwatch?.();
        unlisten();
      },
    });
    if (scope.outlivesCall === true) unlisten = scope.onClose(() => this.#expire(id, 'session'));
    return id;
  }

  /** Name of its target; undefined when it is not open. */
  targetOf(id: string): string | undefined {
    return this.#open.get(id)?.target;
  }

  /** Ends a permit, and returns by how much its call did cost more than what was put aside. Throws UNKNOWN_PERMIT. */
  exit(id: string, outcome: Outcome, cost: Micros | undefined): Micros | Promise<Micros> {
    const permit = this.#take(id);
    if (permit === undefined) throw unknownPermit();
    return permit.entry.settle(outcome, cost);
  }

  /** What became of the call nobody knows: it is charged what was put aside, and says nothing of its target. */
  #expire(id: string, cause: Expiry): void {
    const permit = this.#take(id);
    if (permit === undefined) return;
    void permit.entry.settle('dropped');
    this.#parts.events.expired(permit.target, cause);
  }

  #take(id: string): OpenPermit | undefined {
    const permit = this.#open.get(id);
    if (permit === undefined) return undefined;
    this.#open.delete(id);
    this.#count(permit.target, -1);
    permit.unlisten();
    return permit;
  }

  #count(target: string, by: number): void {
    this.#counts.set(target, (this.#counts.get(target) ?? 0) + by);
  }
}

const unknownPermit = (): HoldfastError =>
  new HoldfastError(
    'not-found',
    'UNKNOWN_PERMIT',
    'no permit of this id is open: it was exited already, or ended with its lease or session',
  );

const tooMany = (target: string): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'CONCURRENCY_LIMIT',
    `${mostPermits} permits are open or waited for, more than the sidecar keeps`,
    { target, retryAfterMs },
  );
