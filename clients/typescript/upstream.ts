import { HoldfastError } from './errors.ts';
import type { CallOptions, IdempotentOptions } from './options.ts';
import type { ServerStreams } from './server-streams.ts';
import type { Transport } from './transport.ts';
import { UpstreamAnswer, UpstreamStream } from './upstream-answer.ts';
import { Chunks } from './upstream-chunks.ts';
import { ByteWriter } from './wire/byte-writer.ts';
import { upstream } from './wire/operations.ts';
import { type HttpHeader, type UpstreamRequest, writeUpstream } from './wire/upstream-messages.ts';

interface CostOptions {
  /** What each try will cost at most; without it, the policy's `estimate`. */
  readonly cost?: number | undefined;
  /** Whose budget it is. */
  readonly costKey?: string | undefined;
  /** Name of a header of the answer that says what the call did cost. */
  readonly costHeader?: string | undefined;
}

/** A request to an HTTP server. */
export interface UpstreamCall extends CallOptions, IdempotentOptions, CostOptions {
  /** `GET` by default. */
  readonly method?: string | undefined;
  /** What follows the `baseUrl` of the policy: `/items?limit=3`, encoded as a URL has it. */
  readonly path?: string | undefined;
  readonly headers?: Headers | readonly HttpHeader[] | Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** What `fetch` takes. */
export interface UpstreamInit
  extends
    RequestInit,
    IdempotentOptions,
    CostOptions,
    Pick<CallOptions, 'deadlineMs' | 'priority' | 'traceparent'> {}

const streamPath = '/holdfast.v1.Upstream/Stream';
/** Statuses of answers without a body, which a Response insists on. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** An HTTP server of the policy; the sidecar has its address, its secrets and its limits. Costs nothing to make. */
export class Upstream {
  readonly #target: string;
  readonly #transport: Transport;
  readonly #streams: ServerStreams;

  constructor(target: string, transport: Transport, streams: ServerStreams) {
    this.#target = target;
    this.#transport = transport;
    this.#streams = streams;
  }

  /** The whole answer, whatever its status: an HTTP 500 is no error here. Fails with what has no answer, and what the policy refuses. */
  async call(call: UpstreamCall = {}): Promise<UpstreamAnswer> {
    return new UpstreamAnswer(await this.#transport.call(upstream, this.#request(call), call));
  }

  /** An answer whose body comes in pieces: large ones, and server-sent events. Resolves with its head; it has no deadline unless you give one. */
  async stream(call: UpstreamCall = {}): Promise<UpstreamStream> {
    const writer = new ByteWriter();
    writeUpstream(writer, this.#request(call));
    const stop = new AbortController();
    const signal =
      call.signal === undefined ? stop.signal : AbortSignal.any([call.signal, stop.signal]);
    const options = { ...call, signal };
    const chunks = new Chunks(this.#streams.messages(streamPath, writer.take(), options), stop);
    return new UpstreamStream(await chunks.head(), chunks);
  }

  /**
   * As the global `fetch`, for libraries that take one of their own; bound to this object. Of a URL only path and query count. Bodies of requests are sent as a
   * whole. Failures are HoldfastErrors, but for an aborted signal, whose reason it fails with.
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: UpstreamInit = {},
  ): Promise<Response> => {
    const asked = typeof input === 'string' ? new URL(input, 'http://upstream') : input;
    const request = new Request(asked, init);
    const { pathname, search } = new URL(request.url);
    const { method, headers, signal } = request;
    const { idempotent, cost, costKey, costHeader, deadlineMs, priority, traceparent } = init;
    try {
      const body = Buffer.from(await request.arrayBuffer());
      const options = { idempotent, cost, costKey, costHeader, deadlineMs, priority, traceparent };
      const path = `${pathname}${search}`;
      const answer = await this.stream({ ...options, method, path, headers, body, signal });
      const { status } = answer;
      if (!bodiless.has(status)) {
        return new Response(ReadableStream.from(answer), { status, headers: answer.headers });
      }
      await answer.cancel();
      return new Response(null, { status, headers: answer.headers });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  };

  #request(call: UpstreamCall): UpstreamRequest {
    const { body = '', headers = [] } = call;
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw HoldfastError.invalid('body is a string or bytes');
    }
    return {
      target: this.#target,
      method: call.method ?? '',
      path: call.path ?? '',
      headers: Symbol.iterator in headers ? [...headers] : Object.entries(headers),
      body,
      idempotent: call.idempotent === true,
      cost: call.cost,
      costKey: call.costKey ?? '',
      costHeader: call.costHeader ?? '',
    };
  }
}
