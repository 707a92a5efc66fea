import { HoldfastError } from '../../platform/errors.ts';

/** Too many calls failed or were slow. */
export const breakerOpen = (target: string, retryAfterMs: number): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'BREAKER_OPEN',
    `calls to "${target}" fail or are slow too often: its breaker refuses them for a while, without asking`,
    { target, retryAfterMs: Math.ceil(retryAfterMs) },
  );

/** No token is left. */
export const rateLimited = (target: string, retryAfterMs: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'RATE_LIMITED',
    `calls to "${target}" come faster than its policy allows`,
    { target, retryAfterMs: Math.ceil(retryAfterMs) },
  );

/** The policy's own time is up; `setting` names which. */
export const timedOut = (target: string, setting: string, ms: number): HoldfastError =>
  new HoldfastError(
    'deadline',
    'TARGET_TIMEOUT',
    `a call to "${target}" took longer than ${setting} of its policy (${ms} ms)`,
    { target },
  );
