import type { Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { HttpExchange } from '../../http/http-exchange.ts';
import { AnswerFailure, failureOf } from './answer-failure.ts';
import type { Answer, StoredAnswer } from './answer.ts';
import type { CheckedRequest } from './checks.ts';
import { type Fallback, fallbackFor, wireSource } from './fallback.ts';
import { Tries } from './tries.ts';
import type { UpstreamParts } from './upstream-parts.ts';

/** What is left of a message for everything but the body: headers, and what is around them. */
const besideBody = 64 * 1024;

/** A server's answer as a whole, or what the policy has in its place. Rejects with what has no answer, and with RESULT_TOO_LARGE. */
export async function wholeAnswer(
  target: string,
  request: CheckedRequest,
  call: Call,
  parts: UpstreamParts,
): Promise<Answer> {
  const upstream = parts.upstreams.named(target);
  const tries = new Tries(target, request, call, parts);
  const given = (answer: StoredAnswer): Answer => ({
    ...answer,
    attempts: tries.count,
    source: 'ANSWER_SOURCE_TARGET',
  });
  try {
    const answer = await take(target, tries, call, parts);
    upstream.stale?.keep(request, answer);
    return given(answer);
  } catch (thrown) {
    const failure = HoldfastError.from(thrown);
    const fallback = fallbackFor(failure, upstream, request, tries.maySendAgain);
    const instead =
      fallback === undefined ? undefined : await inPlace(fallback, request, call, parts);
    if (fallback !== undefined && instead !== undefined) {
      parts.events.fellBack(target, fallback.source);
      return { ...instead, attempts: tries.count + instead.attempts };
    }
    if (failure instanceof AnswerFailure) return given(failure.answer as StoredAnswer);
    throw failure;
  }
}

/** Undefined when the other server has no answer either. */
async function inPlace(
  fallback: Fallback,
  request: CheckedRequest,
  call: Call,
  parts: UpstreamParts,
): Promise<Answer | undefined> {
  const source = wireSource[fallback.source];
  if (fallback.source !== 'upstream') return { ...fallback.answer, attempts: 0, source };
  const tries = new Tries(fallback.name, request, call, parts);
  try {
    const answer = await take(fallback.name, tries, call, parts);
    return { ...answer, attempts: tries.count, source };
  } catch (thrown) {
    if (!(thrown instanceof AnswerFailure)) return undefined;
    return { ...(thrown.answer as StoredAnswer), attempts: tries.count, source };
  }
}

/** Under the policy of the target. Rejects with AnswerFailure for an answer that is a failure. */
async function take(
  target: string,
  tries: Tries,
  call: Call,
  { upstreams, targets, clock, maxMessageBytes }: UpstreamParts,
): Promise<StoredAnswer> {
  const { maxResponseBytes } = upstreams.named(target).settings;
  const mostBytes = Math.min(maxResponseBytes, maxMessageBytes - besideBody);
  const answer = await targets.named('Upstream', target).run(call, {
    ...tries.work,
    run: async (tryCall): Promise<StoredAnswer | undefined> => {
      try {
        const { exchange, head } = await tries.begin(tryCall);
        const body = await wholeBody(exchange, mostBytes);
        if (body === undefined) {
          exchange.abort(tooLarge(target, mostBytes));
          return undefined;
        }
        const answer = { ...head, body };
        const failure = failureOf(head, answer, clock.wallNow());
        if (failure !== undefined) throw failure;
        return answer;
      } finally {
        tries.done();
      }
    },
  });
  // Told behind the engine: it says nothing of the server's health.
  if (answer === undefined) throw tooLarge(target, mostBytes);
  return answer;
}

/** Undefined when it is larger. */
async function wholeBody(exchange: HttpExchange, mostBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const chunk = await exchange.next();
    if (chunk === undefined) break;
    bytes += chunk.length;
    if (bytes > mostBytes) return undefined;
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes);
}

const tooLarge = (target: string, mostBytes: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'RESULT_TOO_LARGE',
    `the answer of "${target}" has more than ${mostBytes} bytes: use Stream, or raise maxResponseBytes`,
    { target, metadata: { ran: 'true' } },
  );
