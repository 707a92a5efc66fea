import type { Chunks } from './upstream-chunks.ts';
import type { AnswerSource, UpstreamResponse } from './wire/upstream-messages.ts';

/** What an answer begins with. */
class AnswerHead {
  /** HTTP status, 200 to 599. */
  readonly status: number;
  /** Tries that the sidecar made. */
  readonly attempts: number;
  readonly source: AnswerSource;
  readonly #head: UpstreamResponse;
  #headers: Headers | undefined;

  constructor(head: UpstreamResponse) {
    this.status = head.status;
    this.attempts = head.attempts;
    this.source = head.source;
    this.#head = head;
  }

  /** A status from 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  get headers(): Headers {
    this.#headers ??= new Headers(this.#head.headers.map(([name, value]) => [name, value]));
    return this.#headers;
  }
}

/** An answer of an HTTP server, whatever its status. */
export class UpstreamAnswer extends AnswerHead {
  readonly body: Buffer;

  constructor(response: UpstreamResponse) {
    super(response);
    this.body = response.body;
  }

  /** The body as UTF-8. */
  text(): string {
    return this.body.toString();
  }

  /** The body parsed. Throws SyntaxError for what is no JSON. */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

/**
 * An answer whose body is still coming: loop over it, once, to get its pieces as they come. The server is read no faster than that; leaving the loop, or
 * `cancel`, ends it.
 */
export class UpstreamStream extends AnswerHead implements AsyncIterable<Buffer>, AsyncDisposable {
  readonly #chunks: Chunks;

  constructor(head: UpstreamResponse, chunks: Chunks) {
    super(head);
    this.#chunks = chunks;
  }

  [Symbol.asyncIterator](): Chunks {
    return this.#chunks;
  }

  /** Wants no more of it: a loop over it ends. */
  async cancel(): Promise<void> {
    await this.#chunks.return();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel();
  }
}
