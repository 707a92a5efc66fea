import type { ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import { asIs, type Channel, errorUnderWay } from './channel.ts';
import {
  cancelledBy,
  clientClosed,
  HoldfastError,
  sidecarUnavailable,
  undecodable,
} from './errors.ts';
import type { StreamOptions } from './options.ts';
import { ByteReader } from './wire/byte-reader.ts';
import { ByteWriter } from './wire/byte-writer.ts';
import { type QueryRequest, writeStream } from './wire/database-messages.ts';
import { type QueryResult, readQueryResult } from './wire/query-result.ts';
import { wholeNumber } from './wire/whole-number.ts';

const path = '/holdfast.v1.Database/Stream';

interface Options {
  readonly channel: Channel;
  readonly clock: Clock;
  /** How long a stream without a deadline of its own waits for a connection. */
  readonly deadlineMs: number;
}

/** Results as streams of rows, each a call of its own: the sidecar reads on only as fast as the rows are taken. */
export class RowStreams {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #open = new Set<(error: HoldfastError) => void>();
  #closed = false;

  constructor({ channel, clock, deadlineMs }: Options) {
    this.#channel = channel;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** Starts when the first row is asked for; ends when the loop over it does. */
  async *rows(request: QueryRequest, options: StreamOptions): AsyncGenerator {
    const { signal, deadlineMs } = options;
    if (this.#closed) throw clientClosed();
    if (signal?.aborted === true) throw cancelledBy(signal);
    const writer = new ByteWriter();
    writeStream(writer, request, wholeNumber('maxRows', options.maxRows) ?? 0);
    const atMs = deadlineMs === undefined ? Infinity : this.#clock.wallNow() + deadlineMs;
    await this.#connected(Math.min(atMs, this.#clock.wallNow() + this.#deadlineMs));
    const stream = this.#channel.client.makeServerStreamRequest(
      path,
      asIs,
      asIs,
      writer.take(),
      this.#channel.metadata(options),
      atMs === Infinity ? {} : { deadline: atMs },
    );
    let endedBy: HoldfastError | undefined;
    const end = (error: HoldfastError): void => {
      endedBy = error;
      stream.cancel();
    };
    const onAbort = (): void => end(cancelledBy(signal as AbortSignal));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(end);
    try {
      let result: QueryResult<unknown> | undefined;
      for await (const message of stream as AsyncIterable<Buffer>) {
        result = part(message, request, result);
        yield* result.rows;
        result.rows.length = 0;
      }
    } catch (error) {
      throw (
        endedBy ?? (error instanceof HoldfastError ? error : errorUnderWay(error as ServiceError))
      );
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#open.delete(end);
      stream.cancel();
    }
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#open) end(clientClosed());
  }

  #connected(untilMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#channel.client.waitForReady(untilMs, (error) => {
        if (error === undefined) resolve();
        else reject(sidecarUnavailable(error));
      });
    });
  }
}

function part(
  message: Buffer,
  request: QueryRequest,
  previous: QueryResult<unknown> | undefined,
): QueryResult<unknown> {
  try {
    const reader = new ByteReader(message);
    return readQueryResult(reader, message.length, request.statement, request.format, previous);
  } catch (cause) {
    throw undecodable(cause);
  }
}
