import type { ConnectionOptions } from 'node:tls';

/** One header field. */
export interface HttpHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** An HTTP server, and how it is called. Its headers may hold secrets: never log it. */
export interface HttpOptions {
  /** As the policy has it, for errors. */
  readonly name: string;
  /** Scheme, host, port and the path that all requests are below. */
  readonly baseUrl: string;
  /** Of every request; no caller replaces them. */
  readonly headers: readonly HttpHeader[];
  /** Whether HTTP/2 is used with https:// when the server offers it. */
  readonly http2: boolean;
  readonly maxConnections: number;
  /** Longest time to connect, TLS included. */
  readonly connectTimeoutMs: number;
  /** An answer fails whose next bytes do not come for so long. */
  readonly idleTimeoutMs: number;
  /** Most bytes of an answer that is taken as a whole. */
  readonly maxResponseBytes: number;
  /** Absent: the authorities that Node believes, for https://. */
  readonly tls?: ConnectionOptions | undefined;
}

/** A request that has been checked. */
export interface HttpRequest {
  /** In upper case. */
  readonly method: string;
  /** What follows `baseUrl`: empty, or beginning with `/` or `?`. */
  readonly path: string;
  readonly headers: readonly HttpHeader[];
  readonly body: Buffer;
}

/** What an answer begins with. */
export interface HttpHead {
  /** 200 to 599. */
  readonly status: number;
  /** One that came twice stands twice; those of the connection are left out. */
  readonly headers: readonly HttpHeader[];
}
