import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../../platform/clock.ts';
import { errorUnderWay, isSidecarsWord } from '../channel.ts';
import {
  cancelledBy,
  commitUnknown,
  connectionLost,
  deadlineExceeded,
  HoldfastError,
  transactionOver,
  undecodable,
} from '../errors.ts';
import type { BeginOptions, CallOptions, CommitOptions } from '../options.ts';
import type { Run, TransactionChannel } from '../transport.ts';
import { ByteReader } from '../wire/byte-reader.ts';
import { ByteWriter } from '../wire/byte-writer.ts';
import { begin, commit, type Operation, rollback } from '../wire/operations.ts';
import { errorFromStatus } from '../wire/status.ts';

const errorField = 15;
const lengthDelimited = 2;

/** A rollback that fails with one of these was given up by its caller. With any other, the transaction is gone, as was asked. */
const givenUp: ReadonlySet<string> = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'INVALID_REQUEST']);

interface Parts {
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  readonly clock: Clock;
  /** For calls that name none. */
  readonly deadlineMs: number;
  readonly pool: string;
  readonly options: BeginOptions;
  readonly onEnd: () => void;
}

interface Waiting {
  readonly isCommit: boolean;
  answer(field: number, reader: ByteReader, end: number): void;
  fail(error: HoldfastError): void;
}

/**
 * One transaction on a stream of its own: answers come in the order of the requests. A single request cannot be cancelled here, so
 * giving one up ends the stream, and with it the transaction; a Commit, which nothing cancels, is left to end by itself.
 */
export class StreamTransaction implements TransactionChannel {
  readonly begun: Promise<void>;
  readonly #parts: Parts;
  readonly #writer = new ByteWriter();
  readonly #waiting: Waiting[] = [];
  #over: HoldfastError | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { stream, pool, options } = parts;
    let failure: ServiceError | undefined;
    stream.on('data', (message: Buffer) => this.#receive(message));
    stream.on('error', (error: ServiceError) => {
      failure = error;
    });
    // Comes after 'error', once, whatever the end.
    stream.on('status', () => this.#ended(failure));
    this.begun = this.#send(begin, { ...options, pool }, options);
    // Without it nothing may follow; whoever pipelines statements learns of it from them.
    this.begun.catch((error: unknown) => this.end(error as HoldfastError));
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** Nothing waits for an answer. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  readonly call: Run = async (operation, request, options) =>
    this.#send(operation, request, options);

  async commit({ events, ...options }: CommitOptions): Promise<void> {
    this.#check(options);
    const answer = this.#send(commit, { events }, options);
    this.#over = transactionOver();
    try {
      await answer;
    } finally {
      this.#parts.stream.end();
    }
  }

  async rollback(options: CallOptions): Promise<void> {
    if (this.isOver) return;
    this.#check(options);
    const answer = this.#send(rollback, undefined, options);
    this.#over = transactionOver();
    try {
      await answer;
    } catch (error) {
      if (!(error instanceof HoldfastError) || givenUp.has(error.reason)) throw error;
    } finally {
      this.#parts.stream.end();
    }
  }

  /** Ends the stream without a commit, unless one is under way. */
  end(reason: HoldfastError): void {
    this.#over ??= reason;
    const isCommitting = this.#waiting.some(({ isCommit }) => isCommit);
    this.#failAll((isCommit) => (isCommit ? commitUnknown(reason) : reason));
    if (isCommitting) this.#parts.stream.end();
    else this.#parts.stream.cancel();
  }

  #check({ signal, deadlineMs = this.#parts.deadlineMs }: CallOptions): void {
    if (this.#over !== undefined) throw this.#over;
    if (signal?.aborted === true) throw cancelledBy(signal);
    if (!(deadlineMs > 0)) throw HoldfastError.invalid('deadlineMs is above 0');
  }

  #send<Request, Reply>(
    operation: Operation<Request, Reply>,
    request: Request,
    options: CallOptions,
  ): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      this.#check(options);
      const message = this.#encode(operation, request);
      const { signal, deadlineMs = this.#parts.deadlineMs } = options;
      const onAbort = (): void => this.end(cancelledBy(signal as AbortSignal));
      const stop = this.#after(deadlineMs, () => this.end(deadlineExceeded()));
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => {
        stop();
        signal?.removeEventListener('abort', onAbort);
      };
      this.#waiting.push({
        isCommit: (operation as unknown) === commit,
        answer: (field, reader, end) => {
          settle();
          try {
            if (field === errorField) throw errorFromStatus(reader.bytes.subarray(reader.at, end));
            if (field !== operation.transactionField) {
              throw new Error(`the answer has field ${field}`);
            }
            resolve(operation.read(reader, end, request, undefined));
          } catch (error) {
            reject(error instanceof HoldfastError ? error : undecodable(error));
          }
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      });
      this.#parts.stream.write(message);
    });
  }

  #encode<Request, Reply>(operation: Operation<Request, Reply>, request: Request): Buffer {
    const { transactionField } = operation;
    if (transactionField === undefined) throw HoldfastError.invalid('not in a transaction');
    const writer = this.#writer;
    writer.truncate(0);
    writer.varint((transactionField << 3) | lengthDelimited);
    const start = writer.begin();
    operation.write(writer, request);
    writer.finish(start);
    return writer.take();
  }

  #after(deadlineMs: number, callback: () => void): () => void {
    return deadlineMs === Infinity ? () => {} : this.#parts.clock.after(deadlineMs, callback);
  }

  #receive(message: Buffer): void {
    const reader = new ByteReader(message);
    try {
      const tag = reader.varint();
      const end = reader.lengthWithin(message.length);
      this.#waiting.shift()?.answer(tag >>> 3, reader, end);
    } catch (cause) {
      this.end(undecodable(cause));
    }
  }

  #ended(failure: ServiceError | undefined): void {
    const isKnown = failure !== undefined && isSidecarsWord(failure);
    const reason = failure === undefined ? connectionLost(undefined) : errorUnderWay(failure);
    this.#over ??= reason;
    this.#failAll((isCommit) => (isCommit && !isKnown ? commitUnknown(reason) : reason));
    this.#parts.onEnd();
  }

  #failAll(errorFor: (isCommit: boolean) => HoldfastError): void {
    for (const waiting of this.#waiting.splice(0)) waiting.fail(errorFor(waiting.isCommit));
  }
}
