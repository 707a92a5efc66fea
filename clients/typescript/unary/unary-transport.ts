import type { ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../../platform/clock.ts';
import { asIs, type Channel, errorUnderWay } from '../channel.ts';
import {
  cancelledBy,
  clientClosed,
  HoldfastError,
  sidecarUnavailable,
  undecodable,
} from '../errors.ts';
import type { BeginOptions, CallOptions } from '../options.ts';
import type { Run, TransactionChannel, Transport } from '../transport.ts';
import { ByteReader } from '../wire/byte-reader.ts';
import { ByteWriter } from '../wire/byte-writer.ts';
import type { Operation } from '../wire/operations.ts';
import { StreamTransaction } from './stream-transaction.ts';

const transactionPath = '/holdfast.v1.Database/Transaction';

interface Options {
  readonly channel: Channel;
  readonly clock: Clock;
  /** For calls that name none. */
  readonly deadlineMs: number;
}

/** Something that keeps `close` waiting, unless it is idle. */
interface UnderWay {
  readonly isIdle: boolean;
  end(error: HoldfastError): void;
}

/** Calls as stock gRPC calls, one each; transactions as a stream each. */
export class UnaryTransport implements Transport {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #writer = new ByteWriter();
  readonly #underWay = new Set<UnderWay>();
  #onIdle: (() => void) | undefined;
  #closed = false;

  constructor({ channel, clock, deadlineMs }: Options) {
    this.#channel = channel;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  readonly call: Run = <Request, Reply>(
    operation: Operation<Request, Reply>,
    request: Request,
    options: CallOptions,
  ): Promise<Reply> =>
    new Promise<Reply>((resolve, reject) => {
      const { path } = operation;
      if (this.#closed) throw clientClosed();
      if (path === undefined) throw HoldfastError.invalid('only in a transaction');
      const { signal, deadlineMs = this.#deadlineMs } = options;
      if (signal?.aborted === true) throw cancelledBy(signal);
      if (!(deadlineMs > 0)) throw HoldfastError.invalid('deadlineMs is above 0');
      this.#writer.truncate(0);
      operation.write(this.#writer, request);
      const grpcCall = this.#channel.client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        this.#writer.take(),
        this.#channel.metadata(options),
        deadlineMs === Infinity ? {} : { deadline: this.#clock.wallNow() + deadlineMs },
        (error, reply) => {
          signal?.removeEventListener('abort', onAbort);
          this.#leave(underWay);
          if (error !== null) reject(this.#failure(error));
          else resolve(decoded(operation, request, reply ?? Buffer.alloc(0)));
        },
      );
      const underWay: UnderWay = {
        isIdle: false,
        end: (error) => {
          reject(error);
          grpcCall.cancel();
        },
      };
      const onAbort = (): void => underWay.end(cancelledBy(signal as AbortSignal));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#underWay.add(underWay);
    });

  begin(pool: string, options: BeginOptions): TransactionChannel {
    if (this.#closed) return neverBegun(clientClosed());
    const { client } = this.#channel;
    const metadata = this.#channel.metadata(options);
    const transaction = new StreamTransaction({
      stream: client.makeBidiStreamRequest(transactionPath, asIs, asIs, metadata),
      clock: this.#clock,
      deadlineMs: this.#deadlineMs,
      pool,
      options,
      onEnd: () => this.#leave(transaction),
    });
    this.#underWay.add(transaction);
    return transaction;
  }

  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    for (const each of this.#underWay) if (each.isIdle) each.end(clientClosed());
    if (this.#underWay.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const stop = this.#clock.after(graceMs, () => {
      for (const each of this.#underWay) each.end(clientClosed());
    });
    await idle;
    stop();
  }

  #leave(ended: UnderWay): void {
    this.#underWay.delete(ended);
    if (this.#underWay.size === 0) this.#onIdle?.();
  }

  #failure(error: ServiceError): HoldfastError {
    const failure = errorUnderWay(error);
    // Had it been sent on a connection that broke, it would have ended with UNAVAILABLE at once.
    const wasNeverSent = failure.reason === 'DEADLINE_EXCEEDED' && !this.#channel.isConnected;
    return wasNeverSent ? sidecarUnavailable(failure) : failure;
  }
}

function neverBegun(reason: HoldfastError): TransactionChannel {
  const fail = async (): Promise<never> => {
    throw reason;
  };
  const begun = fail();
  // Whoever pipelines statements learns of it from them.
  void Promise.allSettled([begun]);
  return { begun, isOver: true, call: fail, commit: fail, rollback: async () => {} };
}

async function decoded<Request, Reply>(
  operation: Operation<Request, Reply>,
  request: Request,
  reply: Buffer,
): Promise<Reply> {
  try {
    return operation.read(new ByteReader(reply), reply.length, request, undefined);
  } catch (cause) {
    throw undecodable(cause);
  }
}
