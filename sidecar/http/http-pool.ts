import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import type * as Undici from 'undici';
import type { Clock } from '../../platform/clock.ts';
import type { Deadlines } from '../../platform/deadlines.ts';
import { poolExhausted } from './http-errors.ts';
import { HttpExchange } from './http-exchange.ts';
import { sentHeaders } from './http-headers.ts';
import type { HttpOptions, HttpRequest } from './http-options.ts';

interface PoolParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

/** Of requests that wait for a connection. Streams without an end may hold all of them, and callers that give up meanwhile leave their requests behind. */
const mostWaiting = 10_000;
const mostWaitingBytes = 64 * 1024 * 1024;

/** The connections to one HTTP server. Redirects are answers, proxies of the environment are ignored. Shared by all calls. */
export class HttpPool {
  readonly #parts: PoolParts;
  readonly #pool: Undici.Pool;
  #options: HttpOptions;
  /** Path of `baseUrl`. */
  #base: string;
  /** Requests that have no connection yet, those that were given up included: undici keeps them in its queue. */
  #waiting = 0;
  #waitingBytes = 0;

  constructor(options: HttpOptions, parts: PoolParts) {
    this.#parts = parts;
    this.#options = options;
    this.#base = new URL(options.baseUrl).pathname;
    this.#pool = openPool(options);
  }

  get options(): HttpOptions {
    return this.#options;
  }

  /** Takes over the options for requests from now on. False: they need other connections. */
  configure(options: HttpOptions): boolean {
    if (!isDeepStrictEqual(connecting(options), connecting(this.#options))) return false;
    this.#options = options;
    this.#base = new URL(options.baseUrl).pathname;
    return true;
  }

  /** Sends a request, as soon as a connection is free for it. Throws POOL_EXHAUSTED when too much waits for one already. */
  send({ method, path, headers, body }: HttpRequest): HttpExchange {
    const { name, idleTimeoutMs, headers: ours } = this.#options;
    const isTooMuch = this.#waiting > 0 && this.#waitingBytes + body.length > mostWaitingBytes;
    if (this.#waiting >= mostWaiting || isTooMuch) throw poolExhausted(name, this.#waiting);
    this.#waiting += 1;
    this.#waitingBytes += body.length;
    const onDispatched = (): void => {
      this.#waiting -= 1;
      this.#waitingBytes -= body.length;
    };
    const exchange = new HttpExchange({
      ...this.#parts,
      target: name,
      idleTimeoutMs,
      onDispatched,
    });
    this.#pool.dispatch(
      {
        method,
        path: path.startsWith('/') ? this.#base.replace(/\/$/, '') + path : this.#base + path,
        headers: sentHeaders(ours, headers).flatMap(({ name, value }) => [name, value]),
        body: body.length === 0 ? null : body,
        // Ours are by the call: the engine's for the head, one for each pause of the body.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      exchange,
    );
    return exchange;
  }

  /** Lets requests under way come to their end, and takes no more. */
  drain(): Promise<void> {
    return this.#pool.close();
  }

  /** Breaks off what is under way. */
  destroy(): Promise<void> {
    return this.#pool.destroy();
  }
}

function openPool({ baseUrl, maxConnections, connectTimeoutMs, http2, tls }: HttpOptions) {
  // The package as a whole takes 8 MB more, for what is not used here; nothing of it is loaded before a policy names an upstream.
  const path = 'undici/lib/dispatcher/pool.js';
  const Pool = createRequire(import.meta.url)(path) as typeof Undici.Pool;
  return new Pool(new URL(baseUrl).origin, {
    connections: maxConnections,
    connectTimeout: connectTimeoutMs,
    allowH2: http2,
    ...(tls === undefined ? {} : { connect: tls as Undici.buildConnector.BuildOptions }),
  });
}

/** What connections are made from: with another one of these they are others. */
const connecting = ({ baseUrl, http2, maxConnections, connectTimeoutMs, tls }: HttpOptions) => ({
  origin: new URL(baseUrl).origin,
  http2,
  maxConnections,
  connectTimeoutMs,
  tls,
});
