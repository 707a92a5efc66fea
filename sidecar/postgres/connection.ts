import type { Duplex } from 'node:stream';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { BackendMessages, code, readFields } from './backend-messages.ts';
import { Cancellation } from './cancellation.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { Exchange, TransactionStatus } from './exchange.ts';
import { type AnswerParts, ExchangeAnswer } from './exchange-answer.ts';
import { FrontendMessages } from './frontend-messages.ts';
import { encodeColumns, RowEncoder } from './result-encoder.ts';
import { closedByPool, encodingFault, lostConnection } from './connection-errors.ts';
import { lossOf } from './cut-order.ts';
import { prepareConnection } from './prepare-connection.ts';
import type { Backend } from './server-identity.ts';
import { StepWriter } from './step-writer.ts';

/** From the server's own limit on a statement to taking it for gone. */
const answerSlackMs = 2_000;
/** From saying goodbye to cutting the socket. */
const closeGraceMs = 900;
const none = Buffer.alloc(0);

/**
 * One authenticated connection to PostgreSQL that runs exchanges in order. Several may be under way at once (a pipeline).
 * It never waits for room: its users bound what they submit. Once broken it stays broken; every exchange gets its end.
 */
export class Connection {
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #pool: string;
  readonly #cancellation: Cancellation;
  readonly #onBroken: (() => void) | undefined;
  readonly #answerTimeoutMs: number;
  readonly #out = new FrontendMessages();
  readonly #in = new BackendMessages(
    (messageCode, bytes, start, end) => this.#receive(messageCode, bytes, start, end),
    () => this.#inFlight[0]?.mostRowBytes ?? Infinity,
  );
  readonly #steps: StepWriter;
  readonly #answers: Omit<AnswerParts, 'steps'>;
  readonly #inFlight: ExchangeAnswer[] = [];
  #status: TransactionStatus = 'I';
  #flushScheduled = false;
  #broken: HoldfastError | undefined;
  /** Its server was chosen because it takes writes. */
  expectsWrites = false;
  #demoted = false;
  /** The server process that answered last, if it may say who it is. */
  backend: Backend | undefined;
  /** It was asked who it is. */
  introduced = false;
  readonly #closing = Promise.withResolvers<void>();
  readonly closed = this.#closing.promise;

  constructor(options: ConnectionOptions) {
    const { socket, clock, pool, preparedStatements, requestCancel } = options;
    this.#steps = new StepWriter(this.#out, preparedStatements);
    this.#socket = socket;
    this.#clock = clock;
    this.#answers = { encoder: new RowEncoder(), pool, memoryIsFull: options.memoryIsFull };
    this.#pool = pool;
    this.#onBroken = options.onBroken;
    this.#answerTimeoutMs = options.statementTimeoutMs + answerSlackMs;
    this.#cancellation = new Cancellation({
      clock,
      request: requestCancel,
      onIgnored: () => this.destroy(this.#lost(new Error('a cancel request was ignored'))),
    });
    socket.on('data', (received: Buffer) => this.#in.push(received));
    socket.on('error', (cause: Error) => this.#break(this.#lost(cause)));
    socket.on('end', () => this.#break(this.#lost()));
    socket.on('close', () => {
      this.#break(this.#lost());
      this.#closing.resolve();
    });
  }

  get usable(): boolean {
    return this.#broken === undefined && !this.#demoted;
  }

  /** The server takes no writes any more: nothing new is to be run on it. */
  demote(): void {
    this.#demoted = true;
  }

  get status(): TransactionStatus {
    return this.#status;
  }

  /** Whether a cancel request that was meant for its neighbour may have hit this exchange. */
  mayHaveBeenHitByCancel(exchange: Exchange): boolean {
    return this.#cancellation.mayHaveHit(exchange);
  }

  /** Sends an exchange; the bytes leave in this turn of the event loop, together with those of others. */
  submit(exchange: Exchange): void {
    const steps = this.#steps.write(exchange.steps);
    this.#inFlight.push(new ExchangeAnswer(exchange, { steps, ...this.#answers }));
    if (this.#inFlight.length === 1) exchange.startedAtMs = this.#clock.now();
    if (this.#broken !== undefined) {
      setImmediate(() => this.#failAll(this.#broken as HoldfastError));
    } else this.#flushSoon();
  }

  /** Stops reading the answer, so that the server stops sending: for a stream whose consumer is slow. Lasts no longer than the exchange. */
  pause(exchange: Exchange): void {
    if (this.#inFlight[0]?.exchange === exchange) this.#socket.pause();
  }

  resume(exchange: Exchange): void {
    if (this.#inFlight[0]?.exchange === exchange) this.#socket.resume();
  }

  /** Cuts the connection when the server should have stopped the statement by itself by now: it does not answer at all. Streams have no such time. */
  checkAnswer(): void {
    const head = this.#inFlight[0]?.exchange;
    if (head === undefined || head.steps.some(({ stream }) => stream !== undefined)) return;
    if (this.#clock.now() - head.startedAtMs < this.#answerTimeoutMs) return;
    this.destroy(this.#lost(new Error('no answer within the statement timeout')));
  }

  /** Has the server stop an exchange. It still gets its answer, which may be its result; if there is none in time the connection breaks. */
  cancel(exchange: Exchange): void {
    if (exchange.cancelRequested) return;
    exchange.cancelRequested = true;
    if (this.#inFlight[0]?.exchange === exchange) this.#cancellation.start();
  }

  /** Resolves when no cancel request is under way that could hit what comes next. */
  quiet(): Promise<void> {
    if (this.#broken !== undefined) return Promise.resolve(); // nothing comes next
    return this.#cancellation.quiet();
  }

  /** Makes the session as good as new when it is dirty; asks whether it still works when not. Rejects when it does not, in time. */
  prepare(dirty: boolean): Promise<void> {
    return prepareConnection(this, dirty, { clock: this.#clock, lost: this.#lost });
  }

  /** The server has dropped them all. */
  forgetStatements(): void {
    this.#steps.clear();
  }

  forgetStatement(sql: string): void {
    this.#steps.forget(sql);
  }

  /** What is lost when it is cut now: 0 next to nothing … 4 a commit. */
  get loss(): number {
    return lossOf(this.#status, this.#inFlight);
  }

  /** Why it is not usable any more. */
  get lostBy(): HoldfastError | undefined {
    return this.#broken;
  }

  /** Ends it in the middle of its work. Its session ends as soon as the server has stopped what runs. */
  cut(reason: HoldfastError): void {
    if (this.#broken === undefined && this.#inFlight.length > 0) this.#cancellation.now();
    this.#farewell(reason);
  }

  /** Says goodbye, then closes. For a connection that runs nothing. */
  close(): void {
    this.#farewell(closedByPool(this.#pool));
  }

  #farewell(reason: HoldfastError): void {
    if (this.#broken === undefined) {
      this.#out.terminate();
      this.#socket.write(this.#out.take());
    }
    this.#break(reason);
    this.#socket.resume();
    this.#socket.end();
    void this.closed.then(this.#clock.after(closeGraceMs, () => this.#socket.destroy()));
  }

  /** Cuts the connection, whatever it is doing. */
  destroy(reason: HoldfastError): void {
    this.#break(reason);
    this.#socket.destroy();
  }

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // While others are under way there may be more to send in this turn; the first has nothing to wait for.
    if (this.#inFlight.length > 1) setImmediate(this.#flush);
    else process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    if (this.#broken !== undefined || !this.#out.pending) return;
    for (let at = this.#inFlight.length - 1; at >= 0; at -= 1) {
      const { exchange } = this.#inFlight[at] as ExchangeAnswer;
      if (exchange.sent) break;
      exchange.sent = true;
    }
    this.#socket.write(this.#out.take());
  };

  #receive(messageCode: number, bytes: Buffer, start: number, end: number): void {
    const head = this.#inFlight[0];
    if (head === undefined) return this.#receiveUnasked(messageCode, bytes, start, end);
    switch (messageCode) {
      case code.dataRow:
        return this.#orCancel(head, head.row(bytes, start));
      case code.oversizedRow:
        return this.#orCancel(head, head.oversizedRow());
      case code.commandComplete:
        return this.#orCancel(head, head.complete(bytes.toString('latin1', start, end - 1)));
      case code.emptyQueryResponse:
        return this.#orCancel(head, head.complete(''));
      case code.readyForQuery:
        return this.#endExchange(String.fromCharCode(bytes[start] as number) as TransactionStatus);
      case code.parseComplete:
        return head.parsed();
      case code.rowDescription:
        return head.described(encodeColumns(bytes, start));
      case code.bindComplete:
        return head.bound();
      case code.noData:
        return head.described(none);
      case code.errorResponse:
        // The server skips everything up to the Sync: what was to be prepared there is not.
        this.#steps.skipped(head.undone);
        return head.failed(readFields(bytes, start, end));
      case code.copyInResponse:
        this.#out.copyFail();
        return this.#flushSoon();
      case code.closeComplete:
      case code.copyData:
      case code.copyDone:
      case code.copyOutResponse:
      case code.noticeResponse:
      case code.notificationResponse:
        return undefined;
      case code.parameterStatus:
        return this.#orLost(encodingFault(bytes.toString('latin1', start, end)));
      default:
        return this.destroy(
          this.#lost(new Error(`unknown message ${messageCode} from the server`)),
        );
    }
  }

  #orCancel(head: ExchangeAnswer, fits: boolean): void {
    if (!fits) this.cancel(head.exchange);
  }

  /** Between exchanges the server only says that something changed, or why it is about to hang up. */
  #receiveUnasked(messageCode: number, bytes: Buffer, start: number, end: number): void {
    if (messageCode !== code.errorResponse && messageCode !== code.malformed) return;
    if (this.#broken !== undefined) return; // by us: its goodbye is under way
    const message = readFields(bytes, start, end)['M'] ?? 'the server closed the connection';
    this.destroy(this.#lost(new Error(message)));
  }

  #endExchange(status: TransactionStatus): void {
    const { exchange } = this.#inFlight.shift() as ExchangeAnswer;
    const now = this.#clock.now();
    this.#status = status;
    this.#cancellation.done();
    if (this.#socket.isPaused()) this.#socket.resume();
    exchange.tookMs = now - exchange.startedAtMs;
    const next = this.#inFlight[0];
    if (next !== undefined) {
      next.exchange.startedAtMs = now;
      if (next.exchange.cancelRequested) this.#cancellation.start();
    }
    exchange.finish(status);
  }

  #orLost(fault: Error | undefined): void {
    if (fault !== undefined) this.destroy(this.#lost(fault));
  }

  readonly #lost = (cause?: unknown): HoldfastError => lostConnection(this.#pool, cause);

  #break(reason: HoldfastError): void {
    if (this.#broken !== undefined) return;
    this.#broken = reason;
    this.#onBroken?.();
    this.#cancellation.done();
    this.#failAll(reason);
  }

  #failAll(reason: HoldfastError): void {
    const lost = this.#inFlight.splice(0);
    for (const { exchange } of lost) {
      exchange.fail({ error: reason, lost: true });
      exchange.finish('E');
    }
  }
}
