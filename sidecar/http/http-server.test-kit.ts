import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { certificate, privateKey } from '../redis/tls-certificate.test-kit.ts';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** On the clock of `performance`. */
  readonly atMs: number;
  readonly version: string;
}

/** What answers; of HTTP/1.1 and HTTP/2. */
export interface TestResponse {
  readonly socket: Socket | null;
  readonly writableLength: number;
  writeHead(status: number, headers?: Record<string, string | string[]>): unknown;
  write(chunk: string | Buffer): boolean;
  end(chunk?: string | Buffer): unknown;
  on(event: 'close', listener: () => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
  /** HTTP/2 only. */
  readonly stream?: { readonly aborted: boolean; close(code: number): void };
}

/** Answers one request; `nth` counts from 1. */
export type Answering = (
  response: TestResponse,
  request: SeenRequest,
  nth: number,
) => void | Promise<void>;

export interface TestHttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:port`, or `https://localhost:port`. */
  readonly url: string;
  /** In order of their arrival. */
  readonly requests: readonly SeenRequest[];
  /** Connections made so far. */
  readonly connections: () => number;
  /** Requests whose connection or stream was broken off by the client. */
  readonly brokenOff: () => number;
}

interface ServerOptions {
  readonly tls?: 'http/1.1' | 'h2' | undefined;
  readonly port?: number;
}

/** A real HTTP server. */
export async function startHttpServer(
  answer: Answering,
  { tls, port = 0 }: ServerOptions = {},
): Promise<TestHttpServer> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let brokenOff = 0;
  const handle = async (
    request: Readable & {
      readonly method?: string | undefined;
      readonly url?: string | undefined;
      readonly headers: IncomingHttpHeaders;
      readonly httpVersion: string;
    },
    response: TestResponse & { readonly writableFinished: boolean },
  ): Promise<void> => {
    const atMs = performance.now();
    response.on('close', () => {
      const { stream, writableFinished } = response;
      // A stream of HTTP/2 calls itself finished however it ended.
      if (stream === undefined ? !writableFinished : stream.aborted) brokenOff += 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      atMs,
      version: request.httpVersion,
    };
    requests.push(seen);
    await answer(response, seen, requests.length);
  };
  const quietly = (...args: Parameters<typeof handle>): void => {
    // A client that goes away is part of many tests.
    handle(...args).catch(() => {});
  };
  const server = makeServer(tls, quietly);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: tls === undefined ? `http://127.0.0.1:${bound}` : `https://localhost:${bound}`,
    requests,
    connections: () => connections,
    brokenOff: () => brokenOff,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function makeServer(
  tls: ServerOptions['tls'],
  listener: RequestListener,
): Server | Http2SecureServer {
  const pair = { key: privateKey, cert: certificate };
  switch (tls) {
    case undefined:
      return createServer(listener);
    case 'http/1.1':
      return createTlsServer(pair, listener);
    case 'h2':
      return createSecureServer({ ...pair, allowHTTP1: true }, listener as never);
    default:
      return tls satisfies never;
  }
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
