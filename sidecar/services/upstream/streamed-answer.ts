import { cancelled, type Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { UpstreamPart } from '../../../platform/gen/holdfast/v1/UpstreamPart.ts';
import { outcomeOf } from '../../resilience/outcome.ts';
import { AnswerFailure, failureOf } from './answer-failure.ts';
import { type Answer, toResponse } from './answer.ts';
import type { CheckedRequest } from './checks.ts';
import { fallbackFor, wireSource } from './fallback.ts';
import { type Begun, Tries } from './tries.ts';
import type { UpstreamParts } from './upstream-parts.ts';

/** Hands a part to the caller; resolves when he has room for more. */
export type Send = (part: UpstreamPart) => Promise<void>;

const noBody = Buffer.alloc(0);
/** Of a stored answer, which is there as a whole; stock clients take no large messages. */
const chunkBytes = 64 * 1024;

type Provenance = Pick<Answer, 'attempts' | 'source'>;

/**
 * A server's answer as it comes, no faster than the caller takes it, or what the policy has in its place. The policy's times end with the head; the call keeps
 * its place until the end. Rejects with what has no answer, and with ANSWER_LOST.
 */
export async function streamedAnswer(
  target: string,
  request: CheckedRequest,
  call: Call,
  parts: UpstreamParts,
  send: Send,
): Promise<void> {
  const upstream = parts.upstreams.named(target);
  const tries = new Tries(target, request, call, parts);
  const whence = (): Provenance => ({ attempts: tries.count, source: 'ANSWER_SOURCE_TARGET' });
  try {
    await take(target, tries, call, parts, (begun) => passOn(begun, whence(), send));
  } catch (thrown) {
    const failure = HoldfastError.from(thrown);
    if (tries.isHandedOver) throw failure;
    const fallback = fallbackFor(failure, upstream, request, tries.maySendAgain);
    if (fallback !== undefined) {
      const fellBack = (): void => parts.events.fellBack(target, fallback.source);
      if (fallback.source === 'upstream') {
        if (await passOnOther(fallback.name, request, call, parts, tries, send)) {
          return fellBack();
        }
      } else {
        tries.discard();
        fellBack();
        const source = wireSource[fallback.source];
        return await passOnStored({ ...fallback.answer, attempts: tries.count, source }, send);
      }
    }
    if (!(failure instanceof AnswerFailure)) throw failure;
    await passOn(failure.answer as Begun, whence(), send);
  } finally {
    // What was not passed on to its end: nobody reads it any more.
    tries.discard();
    tries.done();
  }
}

/** False when the other server has no answer either, and nothing was passed on. */
async function passOnOther(
  target: string,
  request: CheckedRequest,
  call: Call,
  parts: UpstreamParts,
  first: Tries,
  send: Send,
): Promise<boolean> {
  const tries = new Tries(target, request, call, parts);
  const pass = (begun: Begun): Promise<void> => {
    // However long this one is: nobody wants the other answer any more.
    first.discard();
    const attempts = first.count + tries.count;
    return passOn(begun, { attempts, source: wireSource.upstream }, send);
  };
  try {
    await take(target, tries, call, parts, pass);
  } catch (thrown) {
    if (tries.isHandedOver) throw thrown;
    if (!(thrown instanceof AnswerFailure)) return false;
    await pass(thrown.answer as Begun);
  } finally {
    tries.discard();
    tries.done();
  }
  return true;
}

/** Under the policy of the target. Rejects with AnswerFailure for an answer that is a failure, whose body is still to be passed on or discarded. */
async function take(
  target: string,
  tries: Tries,
  call: Call,
  { targets, clock }: UpstreamParts,
  pass: (begun: Begun) => Promise<void>,
): Promise<void> {
  await targets.named('Upstream', target).run(call, {
    ...tries.work,
    // However long it is, and if its reader's time ends first: it came.
    outcome: (error) =>
      error === undefined ||
      (tries.isHandedOver && error === call.ended && error.kind === 'deadline')
        ? 'waited'
        : outcomeOf(error),
    run: async (tryCall) => {
      const begun = await tries.begin(tryCall);
      tries.release();
      const failure = failureOf(begun.head, begun, clock.wallNow());
      if (failure !== undefined) throw failure;
      tries.handOver();
      await pass(begun);
    },
  });
}

async function passOn(
  { exchange, head }: Begun,
  provenance: Provenance,
  send: Send,
): Promise<void> {
  let isWhole = false;
  try {
    await send({ head: toResponse({ ...head, ...provenance, body: noBody }) });
    for (;;) {
      const chunk = await exchange.next();
      if (chunk === undefined) break;
      await send({ chunk });
    }
    isWhole = true;
  } finally {
    if (!isWhole) exchange.abort(cancelled());
  }
}

async function passOnStored({ body, ...head }: Answer, send: Send): Promise<void> {
  await send({ head: toResponse({ ...head, body: noBody }) });
  for (let at = 0; at < body.length; at += chunkBytes) {
    await send({ chunk: body.subarray(at, at + chunkBytes) });
  }
}
