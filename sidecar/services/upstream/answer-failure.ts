import { HoldfastError, type ErrorKind } from '../../../platform/errors.ts';
import type { HttpHead } from '../../http/http-options.ts';
import { retryAfterMs } from './retry-after.ts';

/** An answer that is there, and counts as a failure of its target all the same. It never leaves the service: callers get the answer. */
export class AnswerFailure<Answer> extends HoldfastError {
  readonly answer: Answer;

  constructor(kind: ErrorKind, answer: Answer, waitMs: number | undefined) {
    const details = waitMs === undefined ? {} : { retryAfterMs: waitMs };
    super(kind, 'UPSTREAM_UNAVAILABLE', 'the HTTP server answered with an error', details);
    this.answer = answer;
  }
}

/**
 * What an answer says of its target: 429, and 503 that names a time, is too much load; 502, 503 and 504 that it is not there; other 5xx that it is ill.
 * Undefined: it is well, whatever it thinks of the request.
 */
export function failureOf<Answer>(
  { status, headers }: HttpHead,
  answer: Answer,
  wallMs: number,
): AnswerFailure<Answer> | undefined {
  if (status < 500 && status !== 429) return undefined;
  const waitMs = retryAfterMs(headers, wallMs);
  const isThrottled = status === 429 || (status === 503 && waitMs !== undefined);
  const isAway = status >= 502 && status <= 504;
  return new AnswerFailure(
    isThrottled ? 'exhausted' : isAway ? 'unavailable' : 'internal',
    answer,
    waitMs,
  );
}
