import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { PodIdentity } from './pod-identity.ts';

/** Why a token is no proof: the API server does not know it (forged, expired, of a deleted pod), it was made for somebody else, or it is no pod's. */
export type TokenRefusal = 'invalid' | 'audience' | 'not-a-pod';

/** What a token proves. `expiresAtMs` is in ms since 1970. */
export type Review =
  | { readonly pod: PodIdentity; readonly expiresAtMs?: number | undefined }
  | { readonly refused: TokenRefusal };

/** Nobody could be asked, or too many ask: to be tried again, and no word about the token. */
export interface Unanswered {
  readonly refused: 'unavailable' | 'busy';
}

/** Asks the API server about a token (TokenReview). Rejects when it does not answer. */
export type ReviewToken = (token: string, signal: AbortSignal) => Promise<Review>;

interface AuthenticationParts {
  readonly clock: Clock;
  readonly review: ReviewToken;
  readonly onFault: (fault: unknown) => void;
}

interface Known {
  readonly review: Review;
  readonly untilMs: number;
}

/** So many reviews run at once; the API server has other work. */
const mostAtOnce = 32;
/** A storm of all sidecars of a large fleet waits; a flood does not. */
const mostWaiting = 10_000;
const reviewMs = 5_000;
/** A pod that reconnects is known; one that was deleted is not for long. */
const trustedMs = 60_000;
/** Whoever tries a bad token again and again costs the API server little. */
const distrustedMs = 10_000;
const mostKnown = 20_000;

/** Who a token belongs to, with answers kept for a minute (refusals for 10 s), and not all questions at once. */
export class Authentication {
  readonly #parts: AuthenticationParts;
  /** By hash: tokens are not kept. The oldest first. */
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<Review | Unanswered>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
  }

  /** What the token proves; never rejects. */
  authenticate(token: string): Promise<Review | Unanswered> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined && this.#parts.clock.now() < known.untilMs) {
      return Promise.resolve(known.review);
    }
    const asked = this.#asked.get(key) ?? this.#ask(token, key);
    this.#asked.set(key, asked);
    return asked;
  }

  async #ask(token: string, key: string): Promise<Review | Unanswered> {
    try {
      if (!(await this.#turn())) return { refused: 'busy' };
      try {
        const review = await this.#review(token);
        this.#keep(key, review);
        return review;
      } finally {
        this.#running -= 1;
        this.#waiting.shift()?.();
      }
    } catch (fault) {
      this.#parts.onFault(fault);
      return { refused: 'unavailable' };
    } finally {
      this.#asked.delete(key);
    }
  }

  /** False when there is none to be had. Never at once, so that the question is noted before its answer. */
  async #turn(): Promise<boolean> {
    if (this.#running >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting) return Promise.resolve(false);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else await Promise.resolve();
    this.#running += 1;
    return true;
  }

  async #review(token: string): Promise<Review> {
    const patience = new AbortController();
    const stop = this.#parts.clock.after(reviewMs, () => {
      patience.abort(new Error(`the API server did not review a token within ${reviewMs} ms`));
    });
    try {
      const aborted = new Promise<never>((_resolve, reject) => {
        patience.signal.addEventListener('abort', () => reject(patience.signal.reason as Error));
      });
      return await Promise.race([this.#parts.review(token, patience.signal), aborted]);
    } finally {
      stop();
    }
  }

  #keep(key: string, review: Review): void {
    const { clock } = this.#parts;
    let keptMs = 'refused' in review ? distrustedMs : trustedMs;
    if ('pod' in review && review.expiresAtMs !== undefined) {
      keptMs = Math.min(keptMs, review.expiresAtMs - clock.wallNow());
    }
    this.#known.delete(key);
    this.#known.set(key, { review, untilMs: clock.now() + keptMs });
    if (this.#known.size <= mostKnown) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
