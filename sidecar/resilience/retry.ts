import type { ErrorKind, HoldfastError } from '../../platform/errors.ts';

/** Which failures are tried again, and after what pause. */
export interface RetrySettings {
  /** The first try included; 1 is no retry. */
  readonly maxAttempts: number;
  readonly backoff: {
    readonly baseMs: number;
    readonly maxMs: number;
  };
  readonly on: readonly ErrorKind[];
}

interface Failed {
  readonly error: HoldfastError;
  /** Tries so far, from 1. */
  readonly attempts: number;
  /** Whether the call may run twice, or is known not to have run. */
  readonly repeatable: boolean;
}

/**
 * The pause before the next try in ms, or undefined when there is none: exponential with full jitter (Brooker, "Exponential Backoff And Jitter"), never
 * shorter than what the answer asked for (`Retry-After`).
 */
export function retryDelayMs(
  { maxAttempts, backoff, on }: RetrySettings,
  { error, attempts, repeatable }: Failed,
  random: () => number,
): number | undefined {
  if (attempts >= maxAttempts || !repeatable || !on.includes(error.kind)) return undefined;
  const mostMs = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (attempts - 1));
  return Math.max(error.retryAfterMs ?? 0, random() * mostMs);
}
