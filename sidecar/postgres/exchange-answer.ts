import { HoldfastError, type Reason } from '../../platform/errors.ts';
import type { Exchange, Step } from './exchange.ts';
import type { PreparedStatement } from './prepared-statements.ts';
import { encodeCommandTag, type RowEncoder } from './result-encoder.ts';

/** What a step needs to remember between sending and answer. */
export interface SentStep {
  readonly sql: string;
  readonly prepared: PreparedStatement | undefined;
  readonly stream: Step['stream'];
  /** It only reads: stopping it half-way changes nothing. */
  readonly reads: boolean;
  columns: Buffer;
}

export interface AnswerParts {
  readonly steps: readonly SentStep[];
  /** The connection's own. */
  readonly encoder: RowEncoder;
  readonly pool: string;
  /** Asked for each part of a result. */
  readonly memoryIsFull?: (() => boolean) | undefined;
}

/** Answers over this size are cut into parts, so that a session's other answers can pass between them. */
const partBytes = 256 * 1024;
/** Also the most that a policy allows for a whole result. */
const mostStreamedRowBytes = 64 * 1024 * 1024;
const none = Buffer.alloc(0);

/** Takes in the server's answer to one exchange, message by message, and makes its results. Rows go through the connection's encoder. */
export class ExchangeAnswer {
  readonly exchange: Exchange;
  readonly #steps: readonly SentStep[];
  readonly #encoder: RowEncoder;
  readonly #pool: string;
  readonly #memoryIsFull: (() => boolean) | undefined;
  #at = 0;
  /** The server has begun to run the step at `#at`. */
  #began = false;
  #parts: Buffer[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(exchange: Exchange, { steps, encoder, pool, memoryIsFull }: AnswerParts) {
    this.exchange = exchange;
    this.#memoryIsFull = memoryIsFull;
    this.#steps = steps;
    this.#encoder = encoder;
    this.#pool = pool;
  }

  /** Steps that the server has not done. */
  get undone(): readonly SentStep[] {
    return this.#steps.slice(this.#at);
  }

  parsed(): void {
    const prepared = this.#step?.prepared;
    if (prepared !== undefined) prepared.confirmed = true;
  }

  bound(): void {
    this.#began = true;
  }

  described(columns: Buffer): void {
    const step = this.#step;
    if (step === undefined) return;
    step.columns = columns;
    if (step.prepared !== undefined) step.prepared.columns = alone(columns);
  }

  /** Returns false when the result has become larger than it may be and the statement is to be stopped. */
  row(bytes: Buffer, start: number): boolean {
    if (this.exchange.failure !== undefined) return true;
    this.#encoder.add(bytes, start);
    const stream = this.#step?.stream;
    const full = stream !== undefined && this.#encoder.rows >= stream.maxRows;
    if (this.#encoder.length < partBytes && !full) return true;
    if (stream === undefined && this.#tooLarge) return this.#refuse();
    if (stream === undefined && this.#memoryIsFull?.() === true) return this.#giveUp();
    this.#cut(none);
    return true;
  }

  /** A DataRow of more bytes is in no answer. The server's NULL takes four bytes, ours two: so a row of the double may just fit. */
  get mostRowBytes(): number {
    return Math.min(2 * this.exchange.maxResultBytes, mostStreamedRowBytes);
  }

  /** A row that was left out. Returns false like `row`. */
  oversizedRow(): boolean {
    return this.exchange.failure !== undefined || this.#refuse();
  }

  /** The end of a step. Returns false like `row`. */
  complete(commandTag: string): boolean {
    const { exchange } = this;
    let fits = true;
    if (exchange.failure === undefined && this.#step?.stream === undefined && this.#tooLarge) {
      fits = this.#refuse();
    }
    if (exchange.failure === undefined) {
      const tail = encodeCommandTag(commandTag);
      this.#cut(tail.bytes);
      exchange.results.push({ parts: this.#parts, rows: this.#rows, command: tail.command });
    }
    this.#parts = [];
    this.#rows = 0;
    this.#at += 1;
    this.#began = false;
    return fits;
  }

  failed(fields: Readonly<Record<string, string>>): void {
    this.#encoder.clear();
    this.exchange.fail({ fields, began: this.#began });
  }

  get #step(): SentStep | undefined {
    return this.#steps[this.#at];
  }

  get #tooLarge(): boolean {
    return this.#bytes + this.#encoder.length > this.exchange.maxResultBytes;
  }

  #cut(tail: Buffer): void {
    const step = this.#step;
    this.#bytes += this.#encoder.length;
    this.#rows += this.#encoder.rows;
    const part = this.#encoder.take(step?.columns ?? none, tail);
    if (step !== undefined) step.columns = none; // only the first part names them
    if (step?.stream === undefined) this.#parts.push(part);
    else step.stream.onPart(part);
  }

  #refuse(): boolean {
    const streams = this.#step?.stream !== undefined;
    const what = streams
      ? `a row is larger than ${mostStreamedRowBytes} bytes`
      : `the result is larger than ${this.exchange.maxResultBytes} bytes (maxResultBytes of the pool)`;
    return this.#drop(
      'RESULT_TOO_LARGE',
      what,
      `; ask for less${streams ? '' : ', or use Stream'}`,
    );
  }

  #giveUp(): boolean {
    const what = 'the sidecar has no memory left for its result';
    return this.#drop('MEMORY_PRESSURE', what, '; try again later, or use Stream');
  }

  /** Returns whether the statement may go on. One that writes does: to stop it would leave open whether it took effect. */
  #drop(reason: Reason, what: string, advice: string): boolean {
    const goesOn = this.#step?.reads !== true;
    this.#encoder.clear();
    this.#parts = [];
    this.exchange.fail({
      error: new HoldfastError(
        'exhausted',
        reason,
        goesOn ? `the statement ran, but ${what}` : `${what}${advice}`,
        { target: this.#pool, metadata: { ran: `${goesOn}` } },
      ),
    });
    return goesOn;
  }
}

/** The same bytes in memory of their own: what is kept for long would keep all of the block that Node cuts small buffers from, 64 KiB. */
function alone(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
