import {
  Client,
  credentials,
  Metadata,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import type { QueryResult__Output } from '../../platform/gen/holdfast/v1/QueryResult.ts';
import type { ServerFrame__Output } from '../../platform/gen/holdfast/v1/ServerFrame.ts';
import type { ServerFrames__Output } from '../../platform/gen/holdfast/v1/ServerFrames.ts';
import { loadContract, serviceOf } from '../../platform/grpc/contract.ts';
import { failureOf, failureOfCall, type Failure } from './failure.test-kit.ts';

/** The whole answer to one frame. */
export interface Answer {
  readonly kind: ServerFrame__Output['response'];
  readonly failure: Failure | undefined;
  /** Cells of a `query` or `fetch`, all parts together; null is NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly parts: readonly ServerFrame__Output[];
}

const { Open } = serviceOf(loadContract(), 'Session');
if (Open === undefined) throw new Error('the proto has no Session.Open');
const { path, requestSerialize, responseDeserialize } = Open;
const large = 1024 * 1024 * 1024;

export const cellsOf = (result: QueryResult__Output | null | undefined): (string | null)[][] =>
  (result?.rows ?? []).map(({ cells }) =>
    cells.map(({ text, _text }) => (_text === 'text' ? (text ?? '') : null)),
  );

/** The bytes of a ClientFrames message. */
export const encodeFrames = (...frames: readonly ClientFrame[]): Buffer =>
  requestSerialize({ frames });

/** One session stream without any cleverness: what goes out is what the test says, what comes in is kept. Has a connection of its own. */
export class RawSession {
  /** Everything received, message by message. */
  readonly messages: (readonly ServerFrame__Output[])[] = [];
  /** How the stream ended. */
  readonly ended: Promise<Failure>;
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Buffer, ServerFrames__Output>;
  readonly #byId = new Map<number, ServerFrame__Output[]>();
  readonly #waiting = new Set<() => void>();
  #status: Failure | undefined;
  #lastId = 1_000_000;

  constructor(address: string, metadata = new Metadata()) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': large,
      'grpc.max_send_message_length': large,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#stream = this.#client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      responseDeserialize as (bytes: Buffer) => ServerFrames__Output,
      metadata,
    );
    this.#stream.on('data', ({ frames }: ServerFrames__Output) => this.#receive(frames));
    this.#stream.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.#stream.on('status', (status: StatusObject) => {
        this.#status = failureOfCall(status);
        resolve(this.#status);
        this.#wake();
      });
    });
  }

  /** Every frame received so far, in order. */
  get frames(): readonly ServerFrame__Output[] {
    return this.messages.flat();
  }

  /** Sends frames as one message. */
  send(...frames: readonly ClientFrame[]): void {
    this.#stream.write(encodeFrames(...frames));
  }

  sendBytes(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  /** Sends one frame under an id of its own and waits for its answer. */
  ask(frame: ClientFrame): Promise<Answer> {
    this.#lastId += 1;
    this.send({ ...frame, id: this.#lastId });
    return this.answer(this.#lastId);
  }

  /** The rows of a statement, which has to succeed. */
  async rows(sql: string, frame: ClientFrame = {}): Promise<Answer['rows']> {
    const { failure, rows } = await this.ask({ ...frame, query: { sql } });
    if (failure !== undefined) throw new Error(`${failure.reason}: ${failure.message}`);
    return rows;
  }

  /** The answer to a frame once its last part is there; an id may be used again after that. Rejects when the session ends without. */
  async answer(id: number): Promise<Answer> {
    const parts = await this.until(() => {
      const found = this.#byId.get(id);
      return found?.at(-1)?.more === false ? found : undefined;
    });
    this.#byId.delete(id);
    const last = parts.at(-1);
    return {
      kind: last?.response,
      failure: last?.error ? failureOf(last.error) : undefined,
      rows: parts.flatMap(({ query, fetch }) => cellsOf(query ?? fetch)),
      parts,
    };
  }

  answers(...ids: readonly number[]): Promise<Answer[]> {
    return Promise.all(ids.map((id) => this.answer(id)));
  }

  /** Why the sidecar ended a transaction by itself, once it has said so. */
  async transactionEnded(transactionId: number): Promise<Failure> {
    const { reason } = await this.until(
      () =>
        this.frames.find(
          ({ id, transactionEnded }) =>
            id === 0 && transactionEnded?.transactionId === transactionId,
        )?.transactionEnded ?? undefined,
    );
    if (reason === null) throw new Error('the transaction ended without a reason');
    return failureOf(reason);
  }

  /** Looks at what came in after each message until there is a result. */
  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#status !== undefined) {
        throw new Error(`the session ended: ${this.#status.status} ${this.#status.message}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  halfClose(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  /** Takes nothing from the connection any more. */
  stopReading(): void {
    this.#stream.pause();
  }

  readOn(): void {
    this.#stream.resume();
  }

  /** Closes the connection, whatever is under way. */
  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive(frames: readonly ServerFrame__Output[]): void {
    this.messages.push(frames);
    for (const frame of frames) {
      const known = this.#byId.get(frame.id);
      if (known === undefined) this.#byId.set(frame.id, [frame]);
      else known.push(frame);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
