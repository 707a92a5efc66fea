import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import { asIs, type Channel, errorUnderWay } from './channel.ts';
import { cancelledBy, clientClosed, HoldfastError, sidecarUnavailable } from './errors.ts';
import type { CallOptions } from './options.ts';

interface Options {
  readonly channel: Channel;
  readonly clock: Clock;
  /** How long a stream without a deadline of its own waits for a connection. */
  readonly deadlineMs: number;
}

/** Answers that are streams, each a call of its own: the sidecar sends only as fast as the messages are taken. */
export class ServerStreams {
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

  /** Messages of the method at `path`. Starts when the first one is asked for; ends when the loop over it does. */
  async *messages(path: string, request: Buffer, options: CallOptions): AsyncGenerator<Buffer> {
    const { signal, deadlineMs } = options;
    if (this.#closed) throw clientClosed();
    if (signal?.aborted === true) throw cancelledBy(signal);
    const atMs = deadlineMs === undefined ? Infinity : this.#clock.wallNow() + deadlineMs;
    let endedBy: HoldfastError | undefined;
    let stream: ClientReadableStream<Buffer> | undefined;
    let giveUp: (error: HoldfastError) => void = () => {};
    const end = (error: HoldfastError): void => {
      endedBy ??= error;
      giveUp(error);
      stream?.cancel();
    };
    const onAbort = (): void => end(cancelledBy(signal as AbortSignal));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#open.add(end);
    try {
      const connected = this.#connected(Math.min(atMs, this.#clock.wallNow() + this.#deadlineMs));
      // A client that is closed meanwhile never tells.
      await Promise.race([connected, new Promise<never>((_, reject) => (giveUp = reject))]);
      stream = this.#channel.client.makeServerStreamRequest(
        path,
        asIs,
        asIs,
        request,
        this.#channel.metadata(options),
        atMs === Infinity ? {} : { deadline: atMs },
      );
      yield* stream as AsyncIterable<Buffer>;
    } catch (error) {
      throw (
        endedBy ?? (error instanceof HoldfastError ? error : errorUnderWay(error as ServiceError))
      );
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#open.delete(end);
      stream?.cancel();
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
