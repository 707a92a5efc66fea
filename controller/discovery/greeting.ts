import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import type { Hello__Output } from '../../platform/gen/holdfast/control/v1/Hello.ts';
import type { Review, Unanswered } from './authentication.ts';
import type { DiscoveryCodec } from './discovery-codec.ts';
import type { DiscoveryMetrics } from './discovery-metrics.ts';
import type { PodIdentity } from './pod-identity.ts';

/** A stream of the sidecar's messages and ours, as bytes. */
export type DiscoveryCall = ServerDuplexStream<Buffer, Buffer>;

/** Who calls, and what it said first. */
export interface Greeting {
  readonly pod: PodIdentity;
  /** When its token ends, ms since 1970; undefined when nobody says. */
  readonly expiresAtMs: number | undefined;
  readonly hello: Hello__Output;
}

interface GreetingParts {
  readonly clock: Clock;
  readonly codec: DiscoveryCodec;
  readonly authenticate: (token: string) => Promise<Review | Unanswered>;
  readonly metrics: DiscoveryMetrics;
}

/** From the start of the stream to its Hello, the check of the token included. */
export const greetingMs = 10_000;

const refusals = {
  invalid: 'the token is not valid, or not any more',
  audience: 'the token is not for this controller: it needs the audience holdfast-controller',
  'not-a-pod': 'the token is no pod’s: a projected service account token is needed',
  unavailable: 'tokens cannot be checked just now: the API server does not answer',
  busy: 'too many tokens are being checked just now',
} as const;

/** Ends a call with a status. What it was sent before still goes out first. */
export function endCall(call: DiscoveryCall, code: status, details: string): void {
  // grpc-js makes the status of it.
  call.emit('error', { name: 'Error', message: details, code, details });
}

/**
 * Finds out who calls: first the token, then Hello. Nothing is read of a stream whose token is not known to be good. Undefined = it was refused, or
 * went away. Leaves the call paused, so that nothing is lost until somebody listens.
 */
export function greet(call: DiscoveryCall, parts: GreetingParts): Promise<Greeting | undefined> {
  const { clock, codec, authenticate, metrics } = parts;
  return new Promise((resolve) => {
    let over = false;
    let late: readonly [status, string] = [status.UNAVAILABLE, refusals.unavailable];
    const finish = (greeting?: Greeting): void => {
      over = true;
      stopTimer();
      call.removeListener('data', onFirst);
      call.removeListener('end', onEnd);
      call.removeListener('cancelled', onCancelled);
      resolve(greeting);
    };
    const refuse = (code: status, details: string): void => {
      finish();
      endCall(call, code, details);
    };
    const onCancelled = (): void => finish();
    const onEnd = (): void => refuse(...noHello);
    const stopTimer = clock.after(greetingMs, () => refuse(...late));

    let proven: Omit<Greeting, 'hello'> | undefined;
    const onFirst = (bytes: Buffer): void => {
      call.pause();
      const hello = helloOf(bytes, codec);
      if (hello === undefined || proven === undefined) return refuse(...noHello);
      if (!(BigInt(hello.boot) > 0n)) {
        return refuse(status.INVALID_ARGUMENT, 'Hello.boot is missing: it counts from 1');
      }
      return finish({ ...proven, hello });
    };
    const onReview = (review: Review | Unanswered): void => {
      if (over) return;
      if ('refused' in review) {
        metrics.refused(review.refused);
        refuse(codeOf(review.refused), refusals[review.refused]);
        return;
      }
      proven = { pod: review.pod, expiresAtMs: review.expiresAtMs };
      late = noHello;
      call.on('end', onEnd);
      call.on('data', onFirst);
    };

    call.once('cancelled', onCancelled);
    const token = bearerOf(call);
    if (token === undefined) {
      metrics.refused('missing');
      refuse(status.UNAUTHENTICATED, 'the call needs the metadata `authorization: Bearer <token>`');
      return;
    }
    void authenticate(token).then(onReview);
  });
}

const noHello = [
  status.INVALID_ARGUMENT,
  `the first message is Hello, within ${greetingMs / 1_000} s`,
] as const;

function codeOf(refused: keyof typeof refusals): status {
  switch (refused) {
    case 'unavailable':
      return status.UNAVAILABLE;
    case 'busy':
      return status.RESOURCE_EXHAUSTED;
    default:
      return status.UNAUTHENTICATED;
  }
}

/** Undefined for what is no Hello. */
function helloOf(bytes: Buffer, codec: DiscoveryCodec): Hello__Output | undefined {
  try {
    return codec.decode(bytes).hello ?? undefined;
  } catch {
    return undefined;
  }
}

const mostTokenLetters = 16_384;

function bearerOf({ metadata }: DiscoveryCall): string | undefined {
  const [given] = metadata.get('authorization');
  if (typeof given !== 'string' || given.length > mostTokenLetters) return undefined;
  return /^Bearer ([\w.~+/=-]+)$/i.exec(given)?.[1];
}
