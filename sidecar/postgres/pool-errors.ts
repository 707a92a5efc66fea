import { HoldfastError } from '../../platform/errors.ts';

interface Exhaustion {
  readonly limit: number;
  readonly open: number;
  readonly waiting: number;
  readonly waitedMs: number;
  readonly acquireTimeoutMs: number;
}

/** No connection became free in time, or too many wait for one already. */
export function poolExhausted(
  pool: string,
  { limit, open, waiting, waitedMs, acquireTimeoutMs }: Exhaustion,
): HoldfastError {
  const waited = Math.round(waitedMs);
  return new HoldfastError(
    'exhausted',
    'POOL_EXHAUSTED',
    `no connection of pool "${pool}" became free in ${waited} ms: it may have ${limit}, and ${waiting} callers wait`,
    {
      target: pool,
      retryAfterMs: Math.max(50, Math.round(acquireTimeoutMs / 10)),
      metadata: {
        queue_length: `${waiting}`,
        waited_ms: `${waited}`,
        connections: `${open}`,
      },
    },
  );
}

/** Why connecting fails, and when it is tried again. */
export const poolUnavailable = (
  pool: string,
  { message, reason, metadata, cause }: HoldfastError,
  retryAfterMs: number,
): HoldfastError =>
  new HoldfastError('unavailable', reason, message, {
    cause,
    target: pool,
    retryAfterMs: Math.ceil(retryAfterMs),
    metadata,
  });

export const poolClosed = (pool: string): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'DRAINING',
    `pool "${pool}" is closed: the sidecar is shutting down, or its policy has no such pool any more`,
    { target: pool },
  );

/** SQLSTATE 53300: the server has no connection left for us, just now. */
export const isFull = ({ metadata }: HoldfastError): boolean => metadata['sqlstate'] === '53300';

/** Nothing is wrong with the server: there may be room before a caller's time is up. */
export const mayPass = (error: HoldfastError): boolean =>
  isFull(error) || error.reason === 'CONNECTION_BUDGET';
