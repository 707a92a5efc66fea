import type { Duplex } from 'node:stream';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { BackendMessages, code, readFields } from './backend-messages.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Step, type TransactionStatus } from './exchange.ts';
import { FrontendMessages } from './frontend-messages.ts';
import { PreparedStatements, type PreparedStatement } from './prepared-statements.ts';
import { encodeColumns, encodeCommandTag, RowEncoder } from './result-encoder.ts';

export interface ConnectionOptions {
  /** Connected, authenticated, and read by nobody else. */
  readonly socket: Duplex;
  readonly clock: Clock;
  /** Name of the pool, for errors. */
  readonly pool: string;
  /** Asks the server to cancel whatever this connection runs; resolves when the server has taken the request. */
  readonly requestCancel: () => Promise<void>;
}

/** What an exchange step needs to remember between sending and answer. */
interface SentStep {
  readonly sql: string;
  readonly prepared: PreparedStatement | undefined;
  readonly stream: Step['stream'];
  parsePending: boolean;
  columns: Buffer;
}

interface InFlight {
  readonly exchange: Exchange;
  readonly steps: readonly SentStep[];
  at: number;
  parts: Buffer[];
  rows: number;
  bytes: number;
}

/** Answers over this size are cut into parts, so that a session's other answers can pass between them. */
const partBytes = 256 * 1024;
/** A statement that ends by itself in this time is not worth a cancel request, which is a connection of its own. */
const cancelAfterMs = 20;
/** How long the server may take to stop a cancelled statement before its connection is given up. */
const cancelGraceMs = 900;
/** How long after it was sent a cancel request may still arrive. */
const strayCancelMs = 2_000;
const prepareTimeoutMs = 2_000;
const rollback = controlStatement('ROLLBACK');
const discard = controlStatement('DISCARD ALL');
const none = Buffer.alloc(0);

/**
 * One authenticated connection to PostgreSQL that runs exchanges in order. Several may be under way at once (a pipeline).
 * It never waits for room: its users bound what they submit. Once broken it stays broken; every exchange gets its end.
 */
export class Connection {
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #pool: string;
  readonly #requestCancel: () => Promise<void>;
  readonly #out = new FrontendMessages();
  readonly #in = new BackendMessages((messageCode, bytes, start, end) =>
    this.#receive(messageCode, bytes, start, end),
  );
  readonly #prepared = new PreparedStatements();
  readonly #rows = new RowEncoder();
  readonly #inFlight: InFlight[] = [];
  #status: TransactionStatus = 'I';
  #flushScheduled = false;
  #cancelling: Promise<void> | undefined;
  #stopCancelTimer: (() => void) | undefined;
  #broken: HoldfastError | undefined;
  #cancelSentAtMs = -Infinity;
  readonly closed: Promise<void>;
  #resolveClosed!: () => void;

  constructor({ socket, clock, pool, requestCancel }: ConnectionOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#pool = pool;
    this.#requestCancel = requestCancel;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.on('data', (received: Buffer) => this.#in.push(received));
    socket.on('error', (cause: Error) => this.#break(this.#lost(cause)));
    socket.on('end', () => this.#break(this.#lost()));
    socket.on('close', () => {
      this.#break(this.#lost());
      this.#resolveClosed();
    });
  }

  /** Exchanges that have no answer yet. */
  get depth(): number {
    return this.#inFlight.length;
  }

  get usable(): boolean {
    return this.#broken === undefined;
  }

  get status(): TransactionStatus {
    return this.#status;
  }

  /** Whether a cancel request that was meant for its neighbour may have hit this exchange. */
  mayHaveBeenHitByCancel({ cancelRequested, startedAtMs, tookMs }: Exchange): boolean {
    const sentAtMs = this.#cancelSentAtMs;
    return (
      !cancelRequested && startedAtMs + tookMs >= sentAtMs && startedAtMs - sentAtMs < strayCancelMs
    );
  }

  /** Sends an exchange; the bytes leave at the end of this turn of the event loop, together with those of others. */
  submit(exchange: Exchange): void {
    const steps = exchange.steps.map((step) => this.#write(step));
    this.#out.sync();
    this.#inFlight.push({ exchange, steps, at: 0, parts: [], rows: 0, bytes: 0 });
    if (this.#inFlight.length === 1) exchange.startedAtMs = this.#clock.now();
    if (this.#broken !== undefined)
      setImmediate(() => this.#failAll(this.#broken as HoldfastError));
    else this.#flushSoon();
  }

  /** Stops reading from the server, which then stops sending: for a stream whose consumer is slow. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Has the server stop an exchange. It still gets its answer, which may be its result; if there is none in time the connection breaks. */
  cancel(exchange: Exchange): void {
    if (exchange.cancelRequested) return;
    exchange.cancelRequested = true;
    if (this.#inFlight[0]?.exchange === exchange) this.#cancelHeadSoon(exchange);
  }

  /** Resolves when no cancel request is under way that could hit what comes next. */
  async quiet(): Promise<void> {
    await this.#cancelling;
  }

  /** Makes the session as good as new when it is dirty; asks whether it still works when not. Rejects when it does not, in time. */
  async prepare(dirty: boolean): Promise<void> {
    const timeout = this.#clock.after(prepareTimeoutMs, () =>
      this.destroy(this.#lost(new Error('no answer to a probe'))),
    );
    try {
      await this.quiet();
      if (dirty && this.#status !== 'I') await this.#runAlone([rollback]);
      await this.#runAlone(dirty ? [discard] : []);
      if (dirty) this.#prepared.clear();
    } finally {
      timeout();
    }
  }

  async #runAlone(steps: readonly Step[]): Promise<void> {
    const exchange = new Exchange(steps, 0);
    this.submit(exchange);
    await exchange.done;
    if (exchange.failure !== undefined || exchange.status !== 'I')
      throw this.#lost(exchange.failure?.error);
  }

  forgetStatement(sql: string): void {
    this.#prepared.forget(sql, true);
  }

  /** Says goodbye, then closes. For a connection that runs nothing. */
  close(): void {
    if (this.#broken === undefined) {
      this.#out.terminate();
      this.#socket.write(this.#out.take());
    }
    this.#break(
      new HoldfastError('unavailable', 'CONNECTION_LOST', 'the connection was closed by its pool', {
        target: this.#pool,
      }),
    );
    this.#socket.end();
    const stop = this.#clock.after(cancelGraceMs, () => this.#socket.destroy());
    void this.closed.then(stop);
  }

  /** Cuts the connection, whatever it is doing. */
  destroy(reason: HoldfastError): void {
    this.#break(reason);
    this.#socket.destroy();
  }

  #write({ profile, params, stream }: Step): SentStep {
    const { sql } = profile;
    for (
      let name = this.#prepared.nextEvicted();
      name !== undefined;
      name = this.#prepared.nextEvicted()
    ) {
      this.#out.closeStatement(name);
    }
    let prepared = this.#prepared.get(sql);
    const known = prepared !== undefined;
    prepared ??= this.#prepared.add(profile);
    const name = prepared?.name ?? '';
    if (!known) this.#out.parse(name, sql);
    this.#out.bind(name, params);
    if (prepared?.columns === undefined) this.#out.describePortal();
    this.#out.execute();
    return { sql, prepared, stream, parsePending: !known, columns: prepared?.columns ?? none };
  }

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      if (this.#broken === undefined && this.#out.pending) this.#socket.write(this.#out.take());
    });
  }

  #receive(messageCode: number, bytes: Buffer, start: number, end: number): void {
    const head = this.#inFlight[0];
    if (head === undefined) return this.#receiveUnasked(messageCode, bytes, start, end);
    switch (messageCode) {
      case code.dataRow:
        return this.#takeRow(head, bytes, start);
      case code.commandComplete:
        return this.#endStep(head, bytes.toString('latin1', start, end - 1));
      case code.readyForQuery:
        return this.#endExchange(String.fromCharCode(bytes[start] as number) as TransactionStatus);
      case code.bindComplete:
      case code.closeComplete:
      case code.copyData:
      case code.copyDone:
      case code.copyOutResponse:
      case code.noticeResponse:
      case code.notificationResponse:
      case code.parameterStatus:
        return undefined;
      case code.parseComplete:
        this.#step(head).parsePending = false;
        return undefined;
      case code.rowDescription:
        return this.#describe(head, encodeColumns(bytes, start));
      case code.noData:
        return this.#describe(head, none);
      case code.emptyQueryResponse:
        return this.#endStep(head, '');
      case code.errorResponse:
        return this.#fail(head, readFields(bytes, start, end));
      case code.copyInResponse:
        this.#out.copyFail();
        return this.#flushSoon();
      default:
        return this.destroy(
          new HoldfastError(
            'internal',
            'CONNECTION_LOST',
            'the server sent a message that PostgreSQL does not have',
            { target: this.#pool },
          ),
        );
    }
  }

  /** Between exchanges the server only says that something changed, or why it is about to hang up. */
  #receiveUnasked(messageCode: number, bytes: Buffer, start: number, end: number): void {
    if (messageCode !== code.errorResponse) return;
    this.destroy(
      this.#lost(
        new Error(readFields(bytes, start, end)['M'] ?? 'the server closed the connection'),
      ),
    );
  }

  #step(head: InFlight): SentStep {
    return head.steps[Math.min(head.at, head.steps.length - 1)] as SentStep;
  }

  #describe(head: InFlight, columns: Buffer): void {
    const step = this.#step(head);
    step.columns = columns;
    if (step.prepared !== undefined) step.prepared.columns = columns;
  }

  #takeRow(head: InFlight, bytes: Buffer, start: number): void {
    if (head.exchange.failure !== undefined) return;
    this.#rows.add(bytes, start);
    const { stream } = this.#step(head);
    if (this.#rows.length < partBytes && (stream === undefined || this.#rows.rows < stream.maxRows))
      return;
    if (stream === undefined && this.#tooLarge(head)) this.#refuseResult(head);
    else this.#cutPart(head, none);
  }

  #cutPart(head: InFlight, tail: Buffer): void {
    const step = this.#step(head);
    head.bytes += this.#rows.length;
    head.rows += this.#rows.rows;
    const part = this.#rows.take(step.columns, tail);
    step.columns = none; // only the first part names them
    if (step.stream === undefined) head.parts.push(part);
    else step.stream.onPart(part);
  }

  #tooLarge(head: InFlight): boolean {
    return head.bytes + this.#rows.length > head.exchange.maxResultBytes;
  }

  #refuseResult(head: InFlight): void {
    const limit = head.exchange.maxResultBytes;
    this.#rows.clear();
    head.parts = [];
    head.exchange.fail({
      error: new HoldfastError(
        'exhausted',
        'RESULT_TOO_LARGE',
        `the result is larger than ${limit} bytes (maxResultBytes of the pool); ask for less, or use Stream`,
        { target: this.#pool },
      ),
    });
    this.cancel(head.exchange);
  }

  #endStep(head: InFlight, commandTag: string): void {
    const { exchange } = head;
    if (
      exchange.failure === undefined &&
      this.#tooLarge(head) &&
      this.#step(head).stream === undefined
    ) {
      this.#refuseResult(head);
    }
    if (exchange.failure === undefined) {
      const tail = encodeCommandTag(commandTag);
      this.#cutPart(head, tail.bytes);
      exchange.results.push({ parts: head.parts, rows: head.rows, command: tail.command });
    }
    head.parts = [];
    head.rows = 0;
    head.at += 1;
  }

  #fail(head: InFlight, fields: Readonly<Record<string, string>>): void {
    this.#rows.clear();
    // The server skips everything up to the Sync: what was to be prepared there is not.
    for (const step of head.steps.slice(head.at))
      if (step.parsePending) this.#prepared.forget(step.sql, false);
    head.exchange.fail({ fields });
  }

  #endExchange(status: TransactionStatus): void {
    const { exchange } = this.#inFlight.shift() as InFlight;
    const now = this.#clock.now();
    this.#status = status;
    this.#stopCancelTimer?.();
    this.#stopCancelTimer = undefined;
    exchange.tookMs = now - exchange.startedAtMs;
    const next = this.#inFlight[0];
    if (next !== undefined) {
      next.exchange.startedAtMs = now;
      if (next.exchange.cancelRequested) this.#cancelHeadSoon(next.exchange);
    }
    exchange.finish(status);
  }

  #cancelHeadSoon(exchange: Exchange): void {
    this.#stopCancelTimer = this.#clock.after(cancelAfterMs, () => {
      this.#cancelSentAtMs = this.#clock.now();
      const request = this.#requestCancel().catch(() => {});
      this.#cancelling = request;
      void request.then(() => {
        if (this.#cancelling === request) this.#cancelling = undefined;
      });
      this.#stopCancelTimer = this.#clock.after(cancelGraceMs, () => {
        if (this.#inFlight[0]?.exchange !== exchange) return;
        this.destroy(
          this.#lost(new Error('the server did not stop a cancelled statement in time')),
        );
      });
    });
  }

  #lost(cause?: unknown): HoldfastError {
    return new HoldfastError(
      'unavailable',
      'CONNECTION_LOST',
      'the connection to the database was lost',
      {
        target: this.#pool,
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  #break(reason: HoldfastError): void {
    if (this.#broken !== undefined) return;
    this.#broken = reason;
    this.#stopCancelTimer?.();
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
