import { undecodable } from './errors.ts';
import { readUpstreamPart, type UpstreamResponse } from './wire/upstream-messages.ts';

/** The parts of an answer as they come, for one reader. Unlike a generator it can be ended while somebody waits for its next piece. */
export class Chunks implements AsyncIterableIterator<Buffer, undefined> {
  readonly #messages: AsyncGenerator<Buffer>;
  readonly #stop: AbortController;

  /** `stop` ends `messages`. */
  constructor(messages: AsyncGenerator<Buffer>, stop: AbortController) {
    this.#messages = messages;
    this.#stop = stop;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The first part. */
  async head(): Promise<UpstreamResponse> {
    const first = await this.#messages.next();
    const head = first.done === true ? undefined : decoded(first.value).head;
    if (head !== undefined) return head;
    await this.return();
    throw undecodable(new Error('an answer without a head'));
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    try {
      for (;;) {
        const message = await this.#messages.next();
        if (message.done === true) return end;
        const { chunk } = decoded(message.value);
        if (chunk !== undefined) return { done: false, value: chunk };
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return end;
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#stop.abort();
    await this.#messages.return(undefined).catch(() => {});
    return end;
  }
}

const end: IteratorReturnResult<undefined> = { done: true, value: undefined };

function decoded(message: Buffer): ReturnType<typeof readUpstreamPart> {
  try {
    return readUpstreamPart(message);
  } catch (cause) {
    throw undecodable(cause);
  }
}
