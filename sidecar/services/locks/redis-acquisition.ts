import type { Call } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { HoldfastError } from '../../../platform/errors.ts';
import type { Reply } from '../../redis/reply.ts';
import type { Claim, Granted } from './authority.ts';
import {
  heldTooOften,
  lockHeld,
  locksSettling,
  otherMode,
  unsupportedRedis,
} from './lock-refusals.ts';
import type { ScriptWaiter } from './redis-scripts.ts';

/** What acquisitions ask of their authority; one for all of them. */
export interface AcquisitionParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
  /** Name of the Redis. */
  readonly target: () => string;
  /** Sends the request; may fail at once. */
  readonly ask: (acquisition: Acquisition, waits: boolean) => void;
  /** Takes back what may have been left on the server. */
  readonly withdraw: (claim: Claim) => void;
  /** Time alone may change something in so many ms; `owed` when somebody was woken. */
  readonly look: (name: string, inMs: number, owed: boolean) => void;
  /** It is in the queue of the server. */
  readonly onQueued: (acquisition: Acquisition) => void;
  /** It has ended, either way. */
  readonly onOver: (acquisition: Acquisition) => void;
}

/** A caller's promise. */
export interface Settle<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: HoldfastError) => void;
}

const repeatMs = 100;

/** Of a request among all: several locks may be acquired under one lease. */
export const keyOf = (name: string, leaseId: string): string => `${leaseId} ${name}`;

/**
 * One request for a lock, until it is granted or has ended.
 *
 * States: asking (a request is on its way) → over, or → waiting; waiting → asking when it is woken, when time may have changed something, after a
 * reconnect, and after a failure. It is over once for its caller; an answer that comes later is only cleaned up after. A request is never cut
 * short, for nobody would know what has become of it: a withdrawal could overtake it.
 */
export class Acquisition implements ScriptWaiter {
  readonly claim: Claim;
  /** See keyOf. */
  readonly key: string;
  readonly #parts: AcquisitionParts;
  readonly #settle: Settle<Granted>;
  readonly #latestAtMs: number;
  readonly #waits: boolean;
  #asking = false;
  #askAgain = false;
  #isOver = false;
  /** The server has it in its queue, or did: faults are waited out. */
  #confirmed = false;
  /** Something of it may be on the server. */
  #mayBeThere = false;
  #repeated = false;
  /** What to tell when its time is over. */
  #refusal: HoldfastError | undefined;
  #stopTimer: (() => void) | undefined;
  #stopRepeat: (() => void) | undefined;
  readonly #unlisten: () => void;

  constructor(
    claim: Claim,
    { call, latestAtMs }: { readonly call: Call; readonly latestAtMs: number },
    parts: AcquisitionParts,
    settle: Settle<Granted>,
  ) {
    this.claim = claim;
    this.key = keyOf(claim.name, claim.leaseId);
    this.#parts = parts;
    this.#settle = settle;
    this.#latestAtMs = latestAtMs;
    this.#waits = latestAtMs > parts.clock.now();
    // The end of the call comes by itself: only a shorter wait needs a timer.
    if (this.#waits && latestAtMs < call.deadlineAtMs) {
      const leftMs = latestAtMs - parts.clock.now();
      this.#stopTimer = parts.clock.after(leftMs, () => this.#timeIsOver());
    }
    this.#unlisten = call.onEnd((reason) =>
      // At its deadline the caller wants to know what it waited for, not that time passes.
      this.end(reason.kind === 'deadline' && this.#refusal !== undefined ? this.#refusal : reason),
    );
  }

  /** Asks now, or once more when the answer under way has come. */
  ask(): void {
    if (this.#isOver) return;
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#stopRepeat?.();
    this.#stopRepeat = undefined;
    this.#asking = true;
    this.#askAgain = false;
    this.#parts.ask(this, this.#waits);
  }

  /** The caller gets the error, and whatever is left of the request on the server goes. */
  end(error: HoldfastError): void {
    if (!this.#isOver) {
      this.#leave();
      this.#settle.reject(error);
    }
    if (!this.#asking) this.#cleanUp();
  }

  answered(reply: Reply, sentAtMs: number): void {
    this.#asking = false;
    if (Buffer.isBuffer(reply)) return this.#granted({ token: BigInt(String(reply)), sentAtMs }, 0);
    const [word, first, ...more] = (reply as readonly Reply[]).map(String);
    const number = Number(first);
    switch (word) {
      case 'queued':
        return this.#waitFor(number, this.#held(number, more[0]));
      case 'settling': {
        const refusal = locksSettling(number, this.#parts.target());
        return this.#waits ? this.#waitFor(number, refusal) : this.#refused(refusal);
      }
      case 'held':
        this.#parts.look(this.claim.name, Number(more[1]), true);
        return this.#refused(this.#held(number, more[0]));
      // It may have been waiting so far.
      case 'other':
        return this.end(otherMode(this.claim.name, this.#parts.target()));
      case 'full':
        return this.end(heldTooOften(this.claim.name, this.#parts.target()));
      case 'unsupported':
        return this.end(unsupportedRedis(String(first), this.#parts.target()));
      default:
        return this.#granted({ token: BigInt(word ?? 0), sentAtMs }, number);
    }
  }

  failed(error: HoldfastError): void {
    this.#asking = false;
    const sent = error.reason !== 'REDIS_UNAVAILABLE' && error.reason !== 'POOL_EXHAUSTED';
    this.#mayBeThere ||= sent;
    if (this.#isOver) return this.#cleanUp();
    const lost = error.reason === 'REPLY_LOST' && !this.#repeated;
    const passes =
      error.kind === 'unavailable' ||
      error.reason === 'COMMAND_TIMEOUT' ||
      error.reason === 'POOL_EXHAUSTED';
    if (!lost && !(this.#confirmed && passes)) return this.end(error);
    this.#repeated ||= lost;
    const { clock, random } = this.#parts;
    const delayMs = (error.retryAfterMs ?? repeatMs) * (0.5 + random());
    this.#stopRepeat = clock.after(delayMs, () => this.ask());
  }

  #granted(granted: Granted, owedInMs: number): void {
    this.#parts.look(this.claim.name, owedInMs, true);
    this.#mayBeThere = true;
    if (this.#isOver) return this.#cleanUp();
    this.#leave();
    this.#settle.resolve(granted);
  }

  #waitFor(lookInMs: number, refusal: HoldfastError): void {
    this.#confirmed = true;
    this.#mayBeThere = true;
    this.#refusal = refusal;
    if (this.#isOver) return this.#cleanUp();
    this.#parts.onQueued(this);
    if (this.#askAgain) this.ask();
    else this.#parts.look(this.claim.name, lookInMs, false);
  }

  /** Nothing of it is on the server. */
  #refused(error: HoldfastError): void {
    this.#mayBeThere = false;
    this.end(error);
  }

  #held(freeInMs: number, waiting: string | undefined): HoldfastError {
    return lockHeld(this.claim.name, this.#parts.target(), {
      waiting: Number(waiting ?? 0),
      freeInMs,
    });
  }

  /** Timers may ring a little early. */
  #timeIsOver(): void {
    const { clock } = this.#parts;
    const leftMs = this.#latestAtMs - clock.now();
    if (leftMs > 0) this.#stopTimer = clock.after(leftMs, () => this.#timeIsOver());
    else this.end(this.#refusal ?? lockHeld(this.claim.name, this.#parts.target()));
  }

  #leave(): void {
    this.#isOver = true;
    this.#stopTimer?.();
    this.#stopRepeat?.();
    this.#unlisten?.();
    this.#parts.onOver(this);
  }

  #cleanUp(): void {
    if (!this.#mayBeThere) return;
    this.#mayBeThere = false;
    this.#parts.withdraw(this.claim);
  }
}
