import {
  type Client,
  type ClientReadableStream,
  credentials,
  makeClientConstructor,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { loadContract, serviceOf } from '../../../platform/grpc/contract.ts';
import type { Event__Output } from '../../../platform/gen/holdfast/v1/Event.ts';
import { type Failure, failureOfCall } from '../../grpc/failure.test-kit.ts';

interface SubscribeOptions {
  readonly topics?: readonly string[];
  readonly fromNow?: boolean;
  readonly pool?: string;
  /** Reads no further than the first event until `resume`. */
  readonly pauses?: boolean;
}

/** A stream of a stock stub, and what came of it. */
export class StockSubscription {
  readonly events: Event__Output[] = [];
  /** When each of them came, on performance.now(). */
  readonly atMs: number[] = [];
  /** Settles when the stream is over, with why. */
  readonly failure: Promise<Failure>;
  readonly #stream: ClientReadableStream<Event__Output>;

  constructor(stream: ClientReadableStream<Event__Output>, pauses: boolean) {
    this.#stream = stream;
    this.failure = new Promise((resolve) => {
      stream.on('error', (error: ServiceError) => resolve(failureOfCall(error)));
    });
    stream.on('data', (event: Event__Output) => {
      this.events.push(event);
      this.atMs.push(performance.now());
      if (pauses && this.events.length === 1) stream.pause();
    });
  }

  get payloads(): readonly string[] {
    return this.events.map(({ payload }) => payload.toString());
  }

  resume(): void {
    this.#stream.resume();
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

/** Service Events by stock stubs, over a connection of its own. */
export class StockEvents {
  readonly #client: Client;
  readonly #open: StockSubscription[] = [];

  constructor(address: string) {
    const Stub = makeClientConstructor(serviceOf(loadContract(), 'Events'), 'Events');
    this.#client = new Stub(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  subscribe(
    subscriber: string,
    { topics = [], fromNow = false, pool = '', pauses = false }: SubscribeOptions = {},
  ): StockSubscription {
    type Method = (request: object) => ClientReadableStream<Event__Output>;
    const run = (this.#client as unknown as Record<string, Method>)['subscribe'] as Method;
    const stream = run.call(this.#client, { subscriber, pool, topics: [...topics], fromNow });
    const subscription = new StockSubscription(stream, pauses);
    this.#open.push(subscription);
    return subscription;
  }

  /** Rejects with a Failure. */
  ack(subscriber: string, cursor: string | number, pool = ''): Promise<void> {
    type Method = (request: object, done: (error: StatusObject | null) => void) => void;
    const run = (this.#client as unknown as Record<string, Method>)['ack'] as Method;
    return new Promise((resolve, reject) => {
      run.call(this.#client, { subscriber, pool, cursor: `${cursor}` }, (error) => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors
        if (error !== null) reject(failureOfCall(error));
        else resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    for (const each of this.#open) each.cancel();
    this.#client.close();
  }
}
