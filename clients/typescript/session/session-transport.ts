import type { Clock } from '../../../platform/clock.ts';
import { TurnoverMap } from '../../../platform/turnover-map.ts';
import {
  cancelledBy,
  clientClosed,
  commitUnknown,
  connectionLost,
  deadlineExceeded,
  HoldfastError,
  sidecarUnavailable,
} from '../errors.ts';
import type { BeginOptions, CallOptions } from '../options.ts';
import type { Run, TransactionChannel, Transport } from '../transport.ts';
import { ByteWriter } from '../wire/byte-writer.ts';
import type { Loss } from '../wire/lock-messages.ts';
import { begin, cancel, type Operation, rollback } from '../wire/operations.ts';
import { DeadlineWatch } from './deadline-watch.ts';
import { HeldCalls } from './held-calls.ts';
import type { LiveSession } from './live-session.ts';
import { PendingCall } from './pending-call.ts';
import { RecentLosses } from './recent-losses.ts';
import { type OpenStream, SessionKeeper } from './session-keeper.ts';
import { SessionTransaction } from './session-transaction.ts';

/** After a call's deadline the sidecar's own answer, which knows more, has so long to arrive. */
const answerGraceMs = 100;

/** Trying again does not help against these; the calls that wait are told. */
const fatalCodes: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'UNIMPLEMENTED',
  'INVALID_ARGUMENT',
]);

interface Options {
  readonly clock: Clock;
  /** For calls that name none. */
  readonly deadlineMs: number;
  readonly open: OpenStream;
}

/**
 * Calls over one session at a time. The first call opens it, and the first call after its end opens the next. Calls made in between wait;
 * calls in flight when it ends fail, and nothing is ever sent twice.
 */
export class SessionTransport implements Transport {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #keeper: SessionKeeper;
  readonly #held = new HeldCalls();
  readonly #deadlines: DeadlineWatch;
  readonly #scratch = new ByteWriter();
  readonly #lossListeners = new TurnoverMap<string, (loss: Loss) => void>();
  /** What was lost before its caller knew that he had it. */
  readonly #unheard = new RecentLosses();
  #lastTransactionId = 0;
  #closed = false;

  constructor({ clock, deadlineMs, open }: Options) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#deadlines = new DeadlineWatch(clock, (nowMs) => this.#expire(nowMs));
    this.#keeper = new SessionKeeper(clock, open, {
      onRoom: () => this.#sendHeld(),
      onEnd: (session, wasReady, error) => this.#onEnd(session, wasReady, error),
      onLost: (id, loss) => {
        const listener = this.#lossListeners.get(id);
        if (listener === undefined) this.#unheard.set(id, loss);
        else listener(loss);
      },
      isWanted: () => !this.#held.isEmpty,
    });
  }

  /** Calls back once if the lock of this lease is lost, or its session ends; the result ends that. */
  watchLoss(leaseId: string, listener: (loss: Loss) => void): () => void {
    const loss = this.#unheard.get(leaseId);
    if (loss !== undefined) {
      this.#unheard.delete(leaseId);
      listener(loss);
      return () => {};
    }
    this.#lossListeners.set(leaseId, listener);
    return () => this.#lossListeners.delete(leaseId);
  }

  readonly call: Run = <Request, Reply>(
    operation: Operation<Request, Reply>,
    request: Request,
    options: CallOptions,
  ): Promise<Reply> =>
    new Promise<Reply>((resolve, reject) => {
      this.#start(operation, request, options, undefined, resolve, reject);
    });

  begin(pool: string, options: BeginOptions): TransactionChannel {
    // Comes round after 2^32 transactions only: no late frame can be taken for a newer one's.
    this.#lastTransactionId = (this.#lastTransactionId % 0xffff_ffff) + 1;
    return new SessionTransaction(
      this.#lastTransactionId,
      pool,
      options,
      <Request, Reply>(
        operation: Operation<Request, Reply>,
        request: Request,
        callOptions: CallOptions,
        transaction: SessionTransaction,
      ) => {
        let call: PendingCall | undefined;
        const reply = new Promise<Reply>((resolve, reject) => {
          call = this.#start(operation, request, callOptions, transaction, resolve, reject);
        });
        return { reply, wasSent: () => call?.sent === true };
      },
      (transaction) => {
        this.#held.promote(transaction);
        this.#sendHeld();
      },
      (transaction, error) => {
        // They would wait for a Begin that never comes.
        for (const call of this.#held.remove((each) => each.transaction === transaction)) {
          call.fail(error);
        }
      },
    );
  }

  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    for (const call of this.#held.remove(() => true)) call.fail(clientClosed());
    await this.#keeper.close(graceMs);
    this.#deadlines.stop();
  }

  #start<Request, Reply>(
    operation: Operation<Request, Reply>,
    request: Request,
    options: CallOptions,
    transaction: SessionTransaction | undefined,
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
  ): PendingCall | undefined {
    try {
      if (this.#closed) throw clientClosed();
      const { signal, deadlineMs = this.#deadlineMs } = options;
      if (signal?.aborted === true) throw cancelledBy(signal);
      if (!(deadlineMs > 0)) throw HoldfastError.invalid('deadlineMs is above 0');
      const nowMs = this.#clock.now();
      const atMs = nowMs + deadlineMs;
      const call = new PendingCall(operation, request, options, transaction, atMs, resolve, reject);
      this.#submit(call, nowMs);
      if (signal !== undefined) call.onAbort(signal, () => this.#giveUp(call, cancelledBy(signal)));
      this.#deadlines.watch(atMs);
      return call;
    } catch (error) {
      reject(error);
      return undefined;
    }
  }

  #submit(call: PendingCall, nowMs: number): void {
    const { session } = this.#keeper;
    if (
      session !== undefined &&
      !this.#held.mustWait(call) &&
      session.hasRoomFor(call) &&
      session.send(call, nowMs)
    ) {
      return;
    }
    // Encoded now, so that the caller may change what it gave us, and learns at once what cannot be sent.
    this.#scratch.truncate(0);
    call.operation.write(this.#scratch, call.request as never);
    call.body = this.#scratch.take();
    this.#held.add(call);
    this.#keeper.want();
  }

  #sendHeld(): void {
    const { session } = this.#keeper;
    if (session === undefined || this.#held.isEmpty) return;
    const nowMs = this.#clock.now();
    this.#held.drain((call) => {
      const lost = call.transaction?.lost;
      if (lost !== undefined) {
        call.fail(lost);
        return true;
      }
      if (!session.hasRoomFor(call)) return false;
      try {
        return session.send(call, nowMs);
      } catch (error) {
        call.fail(error);
        return true;
      }
    });
  }

  /** The caller wants no answer any more. */
  #giveUp(call: PendingCall, error: HoldfastError): void {
    if (call.settled) return;
    if (!call.sent) return call.fail(error);
    call.fail(call.isCommit ? commitUnknown(error) : error);
    if (call.isFinal) return;
    this.#tell(cancel, call.id, undefined);
    // Its answer may be on its way already; a transaction that nobody knows of would keep its connection.
    if ((call.operation as unknown) === begin) this.#tell(rollback, undefined, call.transaction);
  }

  /** Sends a frame whose answer does not matter. */
  #tell<Request>(
    operation: Operation<Request, void>,
    request: Request,
    transaction: SessionTransaction | undefined,
  ): void {
    const call = new PendingCall(operation, request, {}, transaction, Infinity, ignore, ignore);
    this.#submit(call, this.#clock.now());
  }

  /** Ends the calls whose time is up; gives the time of the next deadline. */
  #expire(nowMs: number): number {
    let nextMs = Infinity;
    const { lastError, session, isReady } = this.#keeper;
    const isServed = isReady && session?.isDraining === false;
    for (const call of this.#held) {
      if (call.settled) continue;
      if (call.deadlineAtMs > nowMs) nextMs = Math.min(nextMs, call.deadlineAtMs);
      else call.fail(isServed ? deadlineExceeded() : sidecarUnavailable(lastError));
    }
    this.#held.remove((call) => call.settled);
    for (const call of session?.inFlight ?? []) {
      if (call.settled) continue;
      const lastMs = call.deadlineAtMs + answerGraceMs;
      if (lastMs > nowMs) nextMs = Math.min(nextMs, lastMs);
      else this.#giveUp(call, deadlineExceeded());
    }
    return nextMs;
  }

  #onEnd(session: LiveSession, wasReady: boolean, error: HoldfastError | undefined): void {
    const lost = this.#closed ? clientClosed() : connectionLost(error);
    session.onEnd((call) => (call.isCommit ? commitUnknown(error) : lost), lost);
    const isRefused = !wasReady && error !== undefined && fatalCodes.has(error.code);
    const cannotGoOn = this.#held.remove(
      ({ settled, transaction }) => isRefused || settled || transaction?.lost !== undefined,
    );
    for (const call of cannotGoOn) call.fail(call.transaction?.lost ?? error);
  }
}

function ignore(): void {}
