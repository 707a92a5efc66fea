import type { Call } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Claim, Granted } from './authority.ts';
import { heldTooOften, lockHeld, otherMode } from './lock-refusals.ts';
import { type Answer, locksSettlingAfterPromotion } from './postgres-requests.ts';

interface AcquisitionParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
  /** Name of the pool. */
  readonly pool: string;
  /** Whether there is a session that hears what is told. */
  readonly isListening: () => boolean;
  /** Rejects with why the database cannot be asked. */
  readonly ask: (claim: Claim, waits: boolean, place: string | undefined) => Promise<Answer>;
  /** Takes back what may have been left on the server. */
  readonly withdraw: (claim: Claim) => void;
  /** Time alone may change something in so many ms; `owed` when somebody was woken. */
  readonly look: (inMs: number, owed: boolean) => void;
  /** It has ended, either way. */
  readonly onOver: () => void;
}

/** A caller's promise. */
interface Settle {
  readonly resolve: (granted: Granted) => void;
  readonly reject: (error: HoldfastError) => void;
}

const repeatMs = 100;

/**
 * One request for a lock, until it is granted or has ended.
 *
 * States: asking (a request is on its way) → over, or → waiting; waiting → asking when it is woken, when time may have changed something, when this sidecar
 * listens again, and after a failure. It is over once for its caller; an answer that comes later is only cleaned up after. A request is never cut
 * short, for nobody would know what has become of it: a withdrawal could overtake it.
 */
export class PostgresAcquisition {
  readonly claim: Claim;
  readonly #parts: AcquisitionParts;
  readonly #settle: Settle;
  readonly #latestAtMs: number;
  readonly #waits: boolean;
  #asking = false;
  #askAgain = false;
  #isOver = false;
  /** In the queue; kept when the queue forgets it, as in a crash. */
  #place: string | undefined;
  /** The server has answered once: faults are waited out. */
  #confirmed = false;
  /** Something of it may be on the server. */
  #mayBeThere = false;
  /** What to tell when its time is over. */
  #refusal: HoldfastError;
  #stopTimer: (() => void) | undefined;
  #stopRepeat: (() => void) | undefined;
  readonly #unlisten: () => void;

  constructor(
    claim: Claim,
    { call, latestAtMs }: { readonly call: Call; readonly latestAtMs: number },
    parts: AcquisitionParts,
    settle: Settle,
  ) {
    this.claim = claim;
    this.#parts = parts;
    this.#settle = settle;
    this.#latestAtMs = latestAtMs;
    this.#waits = latestAtMs > parts.clock.now();
    this.#refusal = lockHeld(claim.name, parts.pool);
    if (this.#waits && latestAtMs < Infinity) this.#timeIsOver();
    this.#unlisten = call.onEnd((reason) => this.end(reason));
  }

  /** Asks now, or once more when the answer under way has come. */
  ask(): void {
    if (this.#isOver) return;
    // Nobody could wake it: it asks when this sidecar listens again.
    if (this.#confirmed && !this.#parts.isListening()) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#stopRepeat?.();
    void this.#ask();
  }

  /** The caller gets the error, and whatever is left of the request on the server goes. */
  end(error: HoldfastError): void {
    if (this.#isOver) return;
    this.#leave();
    this.#settle.reject(error);
    if (!this.#asking) this.#cleanUp();
  }

  async #ask(): Promise<void> {
    const { clock, ask } = this.#parts;
    this.#asking = true;
    this.#askAgain = false;
    const sentAtMs = clock.now();
    try {
      const answer = await ask(this.claim, this.#waits, this.#place);
      this.#asking = false;
      this.#answered(answer, sentAtMs);
    } catch (thrown) {
      this.#asking = false;
      this.#failed(HoldfastError.from(thrown));
    }
  }

  #answered(answer: Answer, sentAtMs: number): void {
    const { pool, look } = this.#parts;
    const { name } = this.claim;
    switch (answer.kind) {
      case 'granted':
        look(answer.pendingMs, true);
        return this.#granted({ token: answer.token, sentAtMs });
      case 'queued':
      case 'held': {
        const { waiting, lookInMs } = answer;
        const refusal = lockHeld(name, pool, { waiting, freeInMs: lookInMs });
        if (!this.#waits) return this.#refused(refusal);
        return this.#waitFor(answer, refusal);
      }
      case 'settling': {
        const refusal = locksSettlingAfterPromotion(answer.lookInMs, pool);
        return this.#waits ? this.#waitFor(answer, refusal) : this.#refused(refusal);
      }
      case 'other':
        return this.#refused(otherMode(name, pool));
      case 'full':
        return this.#refused(heldTooOften(name, pool));
      default:
        return answer satisfies never;
    }
  }

  #failed(error: HoldfastError): void {
    // A request whose connection was lost may still be done.
    this.#mayBeThere ||= error.kind !== 'exhausted' && error.kind !== 'precondition';
    if (this.#isOver) return this.#cleanUp();
    const passes = error.kind === 'unavailable' || error.kind === 'exhausted';
    if (!this.#confirmed || !passes) return this.end(error);
    const { clock, random } = this.#parts;
    const delayMs = Math.max(repeatMs, error.retryAfterMs ?? 0) * (0.5 + random());
    this.#stopRepeat = clock.after(delayMs, () => this.ask());
  }

  #granted(granted: Granted): void {
    this.#mayBeThere = true;
    if (this.#isOver) return this.#cleanUp();
    this.#leave();
    this.#settle.resolve(granted);
  }

  #waitFor(
    { place, lookInMs }: { readonly place: string | undefined; readonly lookInMs: number },
    refusal: HoldfastError,
  ): void {
    this.#confirmed = true;
    this.#mayBeThere = true;
    this.#place ??= place;
    this.#refusal = refusal;
    if (this.#isOver) return this.#cleanUp();
    // Not in the queue yet: there was no session that could be woken.
    if (this.#askAgain || (place === undefined && this.#parts.isListening())) this.ask();
    else this.#parts.look(lookInMs, false);
  }

  /** Nothing of it is on the server. */
  #refused(error: HoldfastError): void {
    this.#mayBeThere = false;
    this.end(error);
  }

  /** Timers may ring a little early. */
  #timeIsOver(): void {
    const { clock } = this.#parts;
    const leftMs = this.#latestAtMs - clock.now();
    if (leftMs > 0) this.#stopTimer = clock.after(leftMs, () => this.#timeIsOver());
    else this.end(this.#refusal);
  }

  #leave(): void {
    this.#isOver = true;
    this.#stopTimer?.();
    this.#stopRepeat?.();
    this.#unlisten?.();
    this.#parts.onOver();
  }

  #cleanUp(): void {
    if (!this.#mayBeThere) return;
    this.#mayBeThere = false;
    this.#parts.withdraw(this.claim);
  }
}
