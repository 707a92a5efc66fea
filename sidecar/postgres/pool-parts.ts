import type { Clock } from '../../platform/clock.ts';

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
  readonly open: () => Promise<C>;
  readonly events: PoolEvents;
}
