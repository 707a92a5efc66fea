import type { Call } from '../../../platform/call.ts';
import type { HoldfastError } from '../../../platform/errors.ts';
import type { HttpExchange } from '../../http/http-exchange.ts';
import type { HttpHead } from '../../http/http-options.ts';
import { microsOf, type Micros } from '../../resilience/cost-ledger.ts';
import type { Work } from '../../resilience/run.ts';
import type { CheckedRequest } from './checks.ts';
import { valueOf } from './retry-after.ts';
import type { UpstreamParts } from './upstream-parts.ts';

/** A server that wants to be left alone for longer is not waited for: its answer is the answer. */
const longestPauseMs = 60_000;
/** In units; more is a fault of the server's. */
const mostSpent = 2_000_000_000;

/** What a try has got. */
export interface Begun {
  readonly exchange: HttpExchange;
  readonly head: HttpHead;
}

/** The tries of one call at one server, and what the engine has to know of them. Used by that call alone. */
export class Tries {
  readonly #target: string;
  readonly #request: CheckedRequest;
  readonly #call: Call;
  readonly #parts: UpstreamParts;
  #count = 0;
  #exchange: HttpExchange | undefined;
  #head: HttpHead | undefined;
  #unlisten: () => void = () => {};
  #isHandedOver = false;

  constructor(target: string, request: CheckedRequest, call: Call, parts: UpstreamParts) {
    this.#target = target;
    this.#request = request;
    this.#call = call;
    this.#parts = parts;
  }

  get count(): number {
    return this.#count;
  }

  /** The caller has the first of an answer. */
  get isHandedOver(): boolean {
    return this.#isHandedOver;
  }

  /** Twice does no harm, or nothing was sent. */
  get maySendAgain(): boolean {
    return this.#request.isIdempotent || !this.#wasSent;
  }

  /** What the engine is told of each try. */
  get work(): Required<Pick<Work<never>, 'repeatable' | 'spent' | 'cost'>> {
    const { key, amount } = this.#request.cost;
    return {
      cost: { key, amount: amount === undefined ? undefined : microsOf(amount) },
      repeatable: this.#repeatable,
      spent: this.#spent,
    };
  }

  /** Sends the request once more, and waits for what the answer begins with. `tryCall` ends it, until `release` or `done`. */
  async begin(tryCall: Call): Promise<Begun> {
    this.discard();
    this.#exchange = undefined;
    this.#head = undefined;
    const room = tryCall.room();
    if (room !== undefined) await room;
    this.#count += 1;
    // Settings of now: a secret that was replaced is used from the next try on.
    const exchange = this.#parts.upstreams.named(this.#target).pool.send(this.#request);
    this.#exchange = exchange;
    this.#endWith(tryCall);
    const head = await exchange.head();
    this.#head = head;
    this.#parts.events.answered(this.#target, head.status);
    return { exchange, head };
  }

  /** From now on only the call itself ends the answer, however long it is. */
  release(): void {
    this.#endWith(this.#call);
  }

  /** The caller gets the first of the answer: nothing can be repeated any more. */
  handOver(): void {
    this.#isHandedOver = true;
  }

  /** Nobody wants the rest of the last answer. */
  discard(): void {
    this.#exchange?.discard();
  }

  /** The call's end ends nothing any more. */
  done(): void {
    this.#unlisten();
  }

  get #wasSent(): boolean {
    return this.#exchange?.wasSent === true;
  }

  readonly #repeatable = ({ retryAfterMs = 0 }: HoldfastError): boolean =>
    !this.#isHandedOver && this.maySendAgain && retryAfterMs <= longestPauseMs;

  /** What the last try did cost; undefined when nobody knows. */
  readonly #spent = (): Micros | undefined => {
    if (!this.#wasSent) return 0;
    const { header } = this.#request.cost;
    if (header === '' || this.#head === undefined) return undefined;
    const text = valueOf(this.#head.headers, header)?.trim() ?? '';
    const amount = /^\d/.test(text) ? Number(text) : Number.NaN;
    return amount <= mostSpent ? microsOf(amount) : undefined;
  };

  #endWith(call: Call): void {
    this.#unlisten();
    const exchange = this.#exchange;
    this.#unlisten = call.onEnd((reason) => exchange?.abort(reason));
  }
}
