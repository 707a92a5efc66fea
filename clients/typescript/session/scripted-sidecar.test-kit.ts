import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type status,
} from '@grpc/grpc-js';
import { decodeMessage, encodeMessage, messageType } from '../wire/contract.ts';

/** A ClientFrame as protobufjs gives it, only with the fields that were sent. */
export interface ReceivedFrame {
  readonly id: number;
  readonly transactionId?: number;
  readonly deadlineMs?: number;
  readonly request: string;
  readonly query?: { readonly sql: string; readonly params?: readonly unknown[] };
  readonly cancel?: { readonly id: number };
  readonly [field: string]: unknown;
}

/** One session as the script sees it. */
export interface ScriptedSession {
  /** Sends ServerFrames in one message. */
  send(...frames: Record<string, unknown>[]): void;
  /** Sends bytes as a message. */
  sendRaw(bytes: Buffer): void;
  /** Takes no more messages until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the stream with a status. */
  end(code?: status, details?: string): void;
}

interface Script {
  /** Called for each frame; what it returns is the answer's response field, e.g. `{ committed: {} }`. Nothing returned, nothing answered. */
  onFrame?(frame: ReceivedFrame, session: ScriptedSession): Record<string, unknown> | undefined;
  /** Called for each new stream; true when it has dealt with it. */
  onOpen?(session: ScriptedSession, metadata: Metadata): boolean;
  readonly limits?: { maxInFlight?: number; maxInFlightBytes?: number; maxMessageBytes?: number };
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** A real gRPC server that speaks the Session contract and says what a script tells it to say. */
export class ScriptedSidecar implements AsyncDisposable {
  script: Script;
  /** Everything received, over all sessions, in order. */
  readonly frames: ReceivedFrame[] = [];
  /** Number of frames in each message. */
  readonly messages: number[] = [];
  readonly sessions: ScriptedSession[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'hf-'));
  #server: Server | undefined;
  #arrived: (() => void)[] = [];

  constructor(script: Script = {}) {
    this.script = script;
  }

  get address(): string {
    return `unix:${join(this.#folder, 's')}`;
  }

  /** The texts of the queries received so far. */
  get sql(): string[] {
    return this.frames.flatMap(({ query }) => (query === undefined ? [] : [query.sql]));
  }

  async start(): Promise<this> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    const definition = {
      Open: {
        path: '/holdfast.v1.Session/Open',
        requestStream: true,
        responseStream: true,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    } as const;
    server.addService(definition, {
      Open: (stream: ServerDuplexStream<Buffer, Buffer>) => this.#open(stream),
    });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(this.address, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    this.#server = server;
    return this;
  }

  /** Breaks all connections, as a kill does. */
  stop(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  /** Resolves when so many frames have been received in all. */
  async received(count: number): Promise<void> {
    while (this.frames.length < count) {
      await new Promise<void>((resolve) => this.#arrived.push(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #open(stream: ServerDuplexStream<Buffer, Buffer>): void {
    const unanswered = new Set<unknown>();
    let isHalfClosed = false;
    const endWhenAnswered = (): void => {
      if (isHalfClosed && unanswered.size === 0) stream.end();
    };
    const session: ScriptedSession = {
      sendRaw: (bytes) => void stream.write(bytes),
      pause: () => void stream.pause(),
      resume: () => void stream.resume(),
      send: (...frames) => {
        stream.write(Buffer.from(encodeMessage('holdfast.v1.ServerFrames', { frames })));
        for (const { id, more } of frames) if (more !== true) unanswered.delete(id);
        endWhenAnswered();
      },
      end: (code, details = 'scripted') => {
        if (code === undefined) stream.end();
        else stream.emit('error', { code, details, metadata: new Metadata() });
      },
    };
    this.sessions.push(session);
    stream.on('error', () => {});
    stream.on('data', (message: Buffer) => this.#receive(message, session, unanswered));
    stream.on('end', () => {
      isHalfClosed = true;
      endWhenAnswered();
    });
    if (this.script.onOpen?.(session, stream.metadata) === true) return;
    session.send({
      info: {
        maxInFlight: 1_000,
        maxInFlightBytes: 1_000_000,
        maxMessageBytes: 1_000_000,
        stallMs: 1_000,
        version: 'test',
        ...this.script.limits,
      },
    });
  }

  #receive(message: Buffer, session: ScriptedSession, unanswered: Set<unknown>): void {
    const type = messageType('holdfast.v1.ClientFrames');
    const { frames = [] } = type.toObject(type.decode(message), {
      longs: Number,
      enums: String,
      oneofs: true,
    }) as { frames?: ReceivedFrame[] };
    this.messages.push(frames.length);
    for (const frame of frames) {
      this.frames.push(frame);
      unanswered.add(frame.id);
      const answer = this.script.onFrame?.(frame, session);
      if (answer !== undefined) session.send({ id: frame.id, ...answer });
    }
    for (const wake of this.#arrived.splice(0)) wake();
  }
}

/** A QueryResult with one text cell, to be decoded as `[{ value }]`. */
export const oneCell = (value: string): Record<string, unknown> => ({
  columns: [{ name: 'value', typeOid: 25, typeModifier: -1 }],
  rows: [{ cells: [{ text: value }] }],
  rowsAffected: 1,
  command: 'SELECT',
});

/** A google.rpc.Status with the reason, as frames carry it. */
export function statusOf(code: status, reason: string, message = 'scripted'): object {
  const info = encodeMessage('google.rpc.ErrorInfo', { reason, domain: 'holdfast.dev' });
  const details = [{ type_url: 'type.googleapis.com/google.rpc.ErrorInfo', value: info }];
  return decodeMessage(
    'google.rpc.Status',
    encodeMessage('google.rpc.Status', { code, message, details }),
  );
}
