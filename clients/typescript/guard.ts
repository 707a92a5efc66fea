import type { Clock } from '../../platform/clock.ts';
import { cancelledBy, HoldfastError } from './errors.ts';
import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';
import { type CallOutcome, enter, exit, type PermitReply } from './wire/guard-messages.ts';

export interface EnterOptions extends CallOptions {
  /**
   * How long the call may take, in ms, at most an hour; then the permit ends by itself. By default it ends with the session, and over `unary` after 60 s.
   */
  readonly leaseMs?: number | undefined;
  /** What the call will cost at most; the default is the policy's `estimate`. For targets with `cost`. */
  readonly cost?: number | undefined;
  /** Whose budget it is, at most 200 bytes; each key has the limit for itself. */
  readonly costKey?: string | undefined;
}

export interface ExitOptions extends CallOptions {
  /** What the call did cost; the default is what was put aside for it. */
  readonly cost?: number | undefined;
}

/** How long `run` and `await using` wait for the answer to their Exit. */
const exitDeadlineMs = 1_000;

/** A target of kind Guard: the policy around calls that you make yourself. Costs nothing to make. */
export class Guard {
  readonly #target: string;
  readonly #transport: Transport;
  readonly #clock: Clock;

  constructor(target: string, transport: Transport, clock: Clock) {
    this.#target = target;
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Waits for its turn, and fails with a refusal of the policy: `BREAKER_OPEN`, `CONCURRENCY_LIMIT`, `RATE_LIMITED`, `COST_BUDGET_EXCEEDED`. */
  async enter(options: EnterOptions = {}): Promise<Permit> {
    const { leaseMs, cost, costKey = '' } = options;
    const request = { target: this.#target, leaseMs, cost, costKey };
    const reply = await this.#transport.call(enter, request, options);
    return new Permit(reply, this.#transport);
  }

  /**
   * Enters, runs `work`, and tells what became of it: what throws is a failure, unless `work` said otherwise; what throws because your signal aborted is
   * dropped. An error with status 429, or `RESOURCE_EXHAUSTED`, is throttled.
   */
  async run<T>(
    work: (call: GuardedCall) => Promise<T> | T,
    options: EnterOptions = {},
  ): Promise<T> {
    const permit = await this.enter(options);
    const { signal } = options;
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(cancelledBy(signal as AbortSignal));
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    const limitMs = Math.min(permit.timeoutMs ?? Infinity, permit.leaseMs ?? Infinity);
    const stop =
      limitMs === Infinity
        ? undefined
        : this.#clock.after(limitMs, () => controller.abort(overTime(this.#target, limitMs)));
    const call = new GuardedCall(controller.signal);
    let outcome: CallOutcome = 'success';
    try {
      return await work(call);
    } catch (error) {
      outcome = signal?.aborted === true ? 'dropped' : outcomeOf(error);
      throw error;
    } finally {
      stop?.();
      signal?.removeEventListener('abort', onAbort);
      await permit.leave(call.outcome ?? outcome, call.cost);
    }
  }
}

/** The right to make one call. At the end of its `await using` block it is dropped unless it was exited. */
export class Permit implements AsyncDisposable {
  readonly id: string;
  /** When it ends by itself; undefined: with the session. */
  readonly leaseMs: number | undefined;
  /** How long the policy lets the call take; undefined: as long as it likes. It is for you to keep; `run` does. */
  readonly timeoutMs: number | undefined;
  readonly #transport: Transport;
  #exited = false;

  constructor({ permitId, leaseMs, timeoutMs }: PermitReply, transport: Transport) {
    this.id = permitId;
    this.leaseMs = leaseMs === 0 ? undefined : leaseMs;
    this.timeoutMs = timeoutMs === 0 ? undefined : timeoutMs;
    this.#transport = transport;
  }

  /** Tells what became of the call. Gives by how much it did cost more than what was put aside. */
  async exit(outcome: CallOutcome, options: ExitOptions = {}): Promise<number> {
    this.#exited = true;
    const request = { permitId: this.id, outcome, cost: options.cost };
    return this.#transport.call(exit, request, options);
  }

  /** Exits without waiting long, and without an error: what the call gave is more important. */
  async leave(outcome: CallOutcome, cost?: number): Promise<void> {
    if (this.#exited) return;
    await this.exit(outcome, { cost, deadlineMs: exitDeadlineMs }).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave('dropped');
  }
}

/** A call under way in `run`. */
export class GuardedCall {
  /** Aborts when the permit's time is up, and with your own signal. Give it to what you call. */
  readonly signal: AbortSignal;
  /** What became of the call, if that does not show in how `work` ends: an answer with status 429, say. */
  outcome: CallOutcome | undefined;
  #cost: number | undefined;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  get cost(): number | undefined {
    return this.#cost;
  }

  /** Says what the call did cost. Said again it replaces what was said before. */
  readonly charge = (cost: number): void => {
    if (!(cost >= 0)) throw HoldfastError.invalid('a cost is a number, 0 or more');
    this.#cost = cost;
  };
}

function outcomeOf(error: unknown): CallOutcome {
  if (typeof error !== 'object' || error === null) return 'failure';
  const { status, statusCode, code } = error as Record<string, unknown>;
  return status === 429 || statusCode === 429 || code === 'RESOURCE_EXHAUSTED'
    ? 'throttled'
    : 'failure';
}

const overTime = (target: string, limitMs: number): HoldfastError =>
  new HoldfastError(
    'DEADLINE_EXCEEDED',
    'TARGET_TIMEOUT',
    `the call to "${target}" took longer than ${limitMs} ms`,
    { metadata: { target } },
  );
