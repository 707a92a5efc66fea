import {
  type Client,
  credentials,
  makeClientConstructor,
  Metadata,
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type StatusObject,
} from '@grpc/grpc-js';
import type { BatchRequest } from '../../platform/gen/holdfast/v1/BatchRequest.ts';
import type { BatchResult__Output } from '../../platform/gen/holdfast/v1/BatchResult.ts';
import type { DatabaseClient } from '../../platform/gen/holdfast/v1/Database.ts';
import type { QueryRequest } from '../../platform/gen/holdfast/v1/QueryRequest.ts';
import type { QueryResult__Output } from '../../platform/gen/holdfast/v1/QueryResult.ts';
import type { StreamRequest } from '../../platform/gen/holdfast/v1/StreamRequest.ts';
import type { TransactionRequest } from '../../platform/gen/holdfast/v1/TransactionRequest.ts';
import type { TransactionResponse__Output } from '../../platform/gen/holdfast/v1/TransactionResponse.ts';
import { loadContract, serviceOf } from '../../platform/grpc/contract.ts';
import { failureOf, failureOfCall, type Failure } from './failure.test-kit.ts';

const DatabaseConstructor = makeClientConstructor(
  serviceOf(loadContract(), 'Database'),
  'Database',
) as unknown as new (...args: ConstructorParameters<typeof Client>) => DatabaseClient;

/** A stock stub of service Database, on a connection of its own. */
export class StockClient {
  readonly #client: DatabaseClient;
  readonly #metadata: Metadata;
  readonly #transactions: StockTransaction[] = [];
  readonly #queries: ClientUnaryCall[] = [];

  constructor(address: string, metadata = new Metadata()) {
    this.#metadata = metadata;
    this.#client = new DatabaseConstructor(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 1024 * 1024 * 1024,
      'grpc.max_send_message_length': 1024 * 1024 * 1024,
    });
  }

  query(request: QueryRequest, options: CallOptions = {}): Promise<QueryResult__Output> {
    return new Promise((resolve, reject) => {
      const call = this.#client.query(request, this.#metadata, options, (error, result) =>
        result === undefined ? reject(error ?? new Error('no result')) : resolve(result),
      );
      this.#queries.push(call);
    });
  }

  batch(request: BatchRequest, options: CallOptions = {}): Promise<BatchResult__Output> {
    return new Promise((resolve, reject) => {
      this.#client.batch(request, this.#metadata, options, (error, result) =>
        result === undefined ? reject(error ?? new Error('no result')) : resolve(result),
      );
    });
  }

  stream(
    request: StreamRequest,
    options: CallOptions = {},
  ): ClientReadableStream<QueryResult__Output> {
    return this.#client.stream(request, this.#metadata, options);
  }

  transaction(options: CallOptions = {}): StockTransaction {
    const transaction = new StockTransaction(this.#client.transaction(this.#metadata, options));
    this.#transactions.push(transaction);
    return transaction;
  }

  cancelQueries(): void {
    for (const query of this.#queries) query.cancel();
  }

  /** Ends what is still open: a channel alone would wait for it. */
  close(): void {
    for (const transaction of this.#transactions) transaction.cancel();
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Database.Transaction, message by message. */
export class StockTransaction {
  /** How the stream ended. */
  readonly ended: Promise<Failure>;
  readonly #stream: ClientDuplexStream<TransactionRequest, TransactionResponse__Output>;
  readonly #answers: AsyncIterator<TransactionResponse__Output, undefined>;

  constructor(stream: ClientDuplexStream<TransactionRequest, TransactionResponse__Output>) {
    this.#stream = stream;
    stream.on('error', () => {});
    this.ended = new Promise((resolve) => {
      stream.on('status', (status: StatusObject) => resolve(failureOfCall(status)));
    });
    this.#answers = stream[Symbol.asyncIterator]() as AsyncIterator<
      TransactionResponse__Output,
      undefined
    >;
  }

  send(request: TransactionRequest): void {
    this.#stream.write(request);
  }

  /** The next answer. Rejects when the stream ends without. */
  async answer(): Promise<TransactionResponse__Output> {
    const { value } = await this.#answers.next();
    if (value === undefined) throw new Error('the stream ended without an answer');
    return value;
  }

  async ask(request: TransactionRequest): Promise<TransactionResponse__Output> {
    this.send(request);
    return this.answer();
  }

  /** What a message fails with, as an answer. */
  async refusal(request: TransactionRequest): Promise<Failure> {
    const { error } = await this.ask(request);
    if (!error) throw new Error('the message did not fail');
    return failureOf(error);
  }

  halfClose(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }
}
