import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type status,
} from '@grpc/grpc-js';
import { decodeMessage, encodeMessage, messageType } from '../wire/contract.ts';

type Message = Record<string, unknown>;

/** One Transaction stream as the script sees it. */
export interface ScriptedTransaction {
  answer(response: Message): void;
  sendRaw(bytes: Buffer): void;
  fail(code: status, reason?: string): void;
}

interface Script {
  /** What it returns is the answer; nothing returned, nothing answered. */
  onQuery?(request: Message, metadata: Metadata): Message | undefined;
  /** `request` is the field's name. */
  onRequest?(request: string, transaction: ScriptedTransaction): Message | undefined;
  onStream?(stream: { send(result: Message): void; sendRaw(bytes: Buffer): void }): void;
}

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/holdfast.v1.Database/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const encoded = (name: string, message: Message): Buffer =>
  Buffer.from(encodeMessage(`holdfast.v1.${name}`, message));

/** A real gRPC server with service Database that says what a script tells it to say. */
export class ScriptedDatabase implements AsyncDisposable {
  /** What happened, in order: names of requests, `end`, `cancelled`. */
  readonly events: string[] = [];
  readonly #script: Script;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hf-'));
  readonly #server = new Server();

  constructor(script: Script) {
    this.#script = script;
  }

  get address(): string {
    return `unix:${join(this.#folder, 's')}`;
  }

  async start(): Promise<this> {
    const definition = {
      Query: method('Query', false, false),
      Transaction: method('Transaction', true, true),
      Stream: method('Stream', false, true),
    };
    this.#server.addService(definition, {
      Query: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        call.on('cancelled', () => this.events.push('cancelled'));
        const request = decodeMessage('holdfast.v1.QueryRequest', call.request);
        this.events.push(String(request['sql']));
        const answer = this.#script.onQuery?.(request, call.metadata);
        if (answer !== undefined) done(null, encoded('QueryResult', answer));
      },
      Transaction: (stream: ServerDuplexStream<Buffer, Buffer>) => this.#converse(stream),
      Stream: (stream: ServerWritableStream<Buffer, Buffer>) => {
        stream.on('cancelled', () => this.events.push('cancelled'));
        this.#script.onStream?.({
          send: (result) => void stream.write(encoded('QueryResult', result)),
          sendRaw: (bytes) => void stream.write(bytes),
        });
      },
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(this.address, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return this;
  }

  /** Breaks all connections, as a kill does. */
  stop(): void {
    this.#server.forceShutdown();
  }

  /** Resolves when the event has happened. */
  async happened(event: string): Promise<void> {
    while (!this.events.includes(event)) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #converse(stream: ServerDuplexStream<Buffer, Buffer>): void {
    const transaction: ScriptedTransaction = {
      answer: (response) => void stream.write(encoded('TransactionResponse', response)),
      sendRaw: (bytes) => void stream.write(bytes),
      fail: (code, reason) => {
        const metadata = new Metadata();
        if (reason !== undefined) metadata.set('grpc-status-details-bin', details(code, reason));
        stream.emit('error', { code, details: 'scripted', metadata });
      },
    };
    let isEnded = false;
    stream.on('error', () => {});
    stream.on('cancelled', () => {
      // grpc-js says so after every end, too.
      if (!isEnded) this.events.push('cancelled');
    });
    stream.on('end', () => {
      this.events.push('end');
      // A cancelled stream ends as well, just before it says that it was cancelled.
      setTimeout(() => {
        isEnded = true;
        stream.end();
      }, 20);
    });
    stream.on('data', (bytes: Buffer) => {
      const type = messageType('holdfast.v1.TransactionRequest');
      const { request } = type.toObject(type.decode(bytes), { oneofs: true }) as {
        request: string;
      };
      this.events.push(request);
      const answer = this.#script.onRequest?.(request, transaction);
      if (answer !== undefined) transaction.answer(answer);
    });
  }
}

function details(code: status, reason: string): Buffer {
  const info = encodeMessage('google.rpc.ErrorInfo', { reason, domain: 'holdfast.dev' });
  const any = { type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value: info };
  return Buffer.from(
    encodeMessage('google.rpc.Status', { code, message: 'scripted', details: [any] }),
  );
}
