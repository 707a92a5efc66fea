import { HoldfastError } from '../../platform/errors.ts';

/** How far a request had come. */
export type Progress =
  /** Nothing of it was sent. */
  | 'unsent'
  /** Some of it may have been sent; nothing of the answer has come. */
  | 'sent'
  /** The answer has begun. */
  | 'answering';

/** What a failure of the connection means for the caller. The cause is only logged: it may quote what was sent. */
export function connectionFailure(
  target: string,
  progress: Progress,
  cause: Error & { readonly code?: unknown },
): HoldfastError {
  const fault = faultOf(cause);
  switch (progress) {
    case 'unsent':
      return new HoldfastError(
        'unavailable',
        'UPSTREAM_UNAVAILABLE',
        `the HTTP server of "${target}" cannot be reached (${fault}); nothing was sent`,
        { cause, target, metadata: { fault, ran: 'false' } },
      );
    case 'sent':
      return new HoldfastError(
        'unavailable',
        'UPSTREAM_UNAVAILABLE',
        `the HTTP server of "${target}" broke the connection before it answered (${fault})`,
        { cause, target, metadata: { fault } },
      );
    case 'answering':
      return new HoldfastError(
        'unavailable',
        'ANSWER_LOST',
        `the HTTP server of "${target}" broke off in the middle of its answer (${fault})`,
        { cause, target, metadata: { fault } },
      );
    default:
      return progress satisfies never;
  }
}

/** Too many requests wait for a connection already. */
export const poolExhausted = (target: string, waiting: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'POOL_EXHAUSTED',
    `every connection to the HTTP server of "${target}" is taken, and ${waiting} requests wait for one; this one was not sent`,
    { target, retryAfterMs: 100, metadata: { queue_length: `${waiting}` } },
  );

/** The answer has stopped coming. */
export const answerStopped = (target: string, idleTimeoutMs: number): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'ANSWER_LOST',
    `the HTTP server of "${target}" sent nothing more of its answer for ${idleTimeoutMs} ms (idleTimeoutMs)`,
    { target, metadata: { fault: 'idle' } },
  );

/** A word for what happened: `ECONNREFUSED`. Codes are a closed list, messages are not. */
function faultOf({ code }: { readonly code?: unknown }): string {
  if (typeof code !== 'string' || !/^[A-Z0-9_]{1,64}$/.test(code)) return 'connection lost';
  return code === 'UND_ERR_CONNECT_TIMEOUT' ? 'connectTimeoutMs' : code;
}
