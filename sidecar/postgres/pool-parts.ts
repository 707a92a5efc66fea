import type { Clock } from '../../platform/clock.ts';
import type { JoinBudget, SessionPermit } from './session-budget.ts';

/** What a pool tells, for its metrics. */
export interface PoolEvents {
  waited(ms: number): void;
  refused(): void;
  opened(): void;
  closed(): void;
}

/** What a pool works with. */
export interface PoolParts<C> {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: (permit: SessionPermit) => Promise<C>;
  readonly events: PoolEvents;
  /** The connection budget that its sessions count in, if there is one. */
  readonly joinBudget?: JoinBudget | undefined;
}
