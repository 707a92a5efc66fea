import type { HoldfastError } from '../../../platform/errors.ts';
import { AnswerFailure } from './answer-failure.ts';
import type { StoredAnswer } from './answer.ts';
import type { CheckedRequest } from './checks.ts';
import type { FallbackSource } from './upstream-metrics.ts';
import type { Upstream } from './upstreams.ts';

/** What stands in for the answer of a target. */
export type Fallback =
  | { readonly source: Exclude<FallbackSource, 'upstream'>; readonly answer: StoredAnswer }
  | { readonly source: 'upstream'; readonly name: string };

export const wireSource = {
  static: 'ANSWER_SOURCE_STATIC',
  stale: 'ANSWER_SOURCE_STALE',
  upstream: 'ANSWER_SOURCE_OTHER_UPSTREAM',
} as const satisfies Record<FallbackSource, string>;

/**
 * What the policy has in place of this failure; undefined for none. `maySendAgain`: the request may go to another server, because twice does no harm or because
 * it was not sent.
 */
export function fallbackFor(
  failure: HoldfastError,
  { settings, stale }: Upstream,
  request: CheckedRequest,
  maySendAgain: boolean,
): Fallback | undefined {
  const { fallback } = settings;
  if (fallback === undefined || !isOfTarget(failure)) return undefined;
  if (fallback.static !== undefined) {
    const { status, contentType, body } = fallback.static;
    const headers = [{ name: 'content-type', value: contentType }];
    return { source: 'static', answer: { status, headers, body: Buffer.from(body) } };
  }
  if (fallback.upstream !== undefined) {
    return maySendAgain ? { source: 'upstream', name: fallback.upstream.name } : undefined;
  }
  const answer = stale?.find(request);
  return answer === undefined ? undefined : { source: 'stale', answer };
}

/** The target is unavailable, too slow, throttled, ill, or at its limit; neither the request nor its caller is to blame. */
function isOfTarget(failure: HoldfastError): boolean {
  const { kind, reason } = failure;
  if (failure instanceof AnswerFailure || reason === 'TARGET_TIMEOUT') return true;
  return kind === 'unavailable' || (kind === 'exhausted' && reason !== 'RESULT_TOO_LARGE');
}
