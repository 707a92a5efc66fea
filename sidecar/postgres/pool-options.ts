/** How many connections a pool keeps, and for how long. All durations in ms. A policy's `pool` block gives them. */
export interface PoolOptions {
  /** Kept open even when idle. */
  readonly min: number;
  /** Kept open for `idleTimeoutMs` after use. */
  readonly max: number;
  /** Opened above `max` while callers wait, and closed a second after nobody needs them. */
  readonly overflow: number;
  /** Longest wait for a connection. */
  readonly acquireTimeoutMs: number;
  /** Most callers that wait; one more is refused at once. */
  readonly queueLimit: number;
  readonly idleTimeoutMs: number;
  /** A connection is replaced when it is this old, give or take `lifetimeJitter` of it, once it is idle. */
  readonly maxLifetimeMs: number;
  /** Share of `maxLifetimeMs`, 0 to 0.5, so that connections opened together are not replaced together. */
  readonly lifetimeJitter: number;
  /** A connection idle for longer is asked whether it still works before it is lent. */
  readonly probeAfterMs: number;
}

/** Most connections that a pool opens. */
export const mostConnections = ({ max, overflow }: PoolOptions): number => max + overflow;
