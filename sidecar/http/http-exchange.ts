import type { Dispatcher } from 'undici';
import type { Clock } from '../../platform/clock.ts';
import type { Deadlines } from '../../platform/deadlines.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { receivedHeaders } from './http-headers.ts';
import { answerStopped, connectionFailure, type Progress } from './http-errors.ts';
import type { HttpHead } from './http-options.ts';

export interface ExchangeParts {
  /** Name of the upstream, for errors. */
  readonly target: string;
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** It has a connection, or will get none: called once. */
  readonly onDispatched: () => void;
}

/** With so much unread, nothing more is read from the server. */
const fullBytes = 64 * 1024;
/** What is left of an answer that nobody wants: more, or longer, is not worth its connection. */
const discardBytes = 64 * 1024;
const discardMs = 1_000;

interface Waiter {
  resolve(): void;
  reject(error: HoldfastError): void;
}

/**
 * One request and its answer, for one reader: first `head`, then `next` until it gives undefined. While the reader does not ask, nothing but a little is read
 * from the server.
 *
 * Progress: unsent → sent → answering. It ends when the answer does, when the connection fails, or by `abort`.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #parts: ExchangeParts;
  #progress: Progress = 'unsent';
  #isDispatched = false;
  #controller: Dispatcher.DispatchController | undefined;
  #head: HttpHead | undefined;
  #chunks: Buffer[] = [];
  #unreadBytes = 0;
  #isComplete = false;
  #failure: HoldfastError | undefined;
  #waiter: Waiter | undefined;
  #discarding = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** False: certainly nothing of the request was sent. */
  get wasSent(): boolean {
    return this.#progress !== 'unsent';
  }

  /** What the answer begins with. Rejects with UPSTREAM_UNAVAILABLE, or with what it was aborted for. */
  async head(): Promise<HttpHead> {
    while (this.#head === undefined) await this.#change();
    return this.#head;
  }

  /** The next bytes of the answer's body; undefined after the last. Rejects with ANSWER_LOST, or with what it was aborted for. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#unreadBytes -= chunk.length;
        if (this.#unreadBytes < fullBytes) this.#controller?.resume();
        return chunk;
      }
      if (this.#isComplete) return undefined;
      await this.#nextInTime();
    }
  }

  /** Gives up: the server sees the connection, or its stream, broken off. */
  abort(reason: HoldfastError): void {
    this.#fail(reason);
    this.#controller?.abort(reason);
  }

  /** Nobody wants the rest. What is short is read to its end, so that the connection can be used again. */
  discard(): void {
    if (this.#isComplete || this.#failure !== undefined) return;
    const { clock, deadlines, target, idleTimeoutMs } = this.#parts;
    this.#discarding = true;
    this.#unreadBytes = 0;
    this.#chunks = [];
    this.#controller?.resume();
    const untilMs = clock.now() + discardMs;
    deadlines.watch(untilMs, () => {
      if (!this.#isComplete) this.abort(answerStopped(target, idleTimeoutMs));
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#dispatched();
    if (this.#failure !== undefined) controller.abort(this.#failure);
    else this.#progress = 'sent';
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200 || this.#failure !== undefined) return; // interim
    this.#progress = 'answering';
    this.#head = { status, headers: receivedHeaders(headers) };
    this.#wake();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#unreadBytes += chunk.length;
    if (this.#discarding) {
      const { target, idleTimeoutMs } = this.#parts;
      if (this.#unreadBytes > discardBytes) this.abort(answerStopped(target, idleTimeoutMs));
      return;
    }
    this.#chunks.push(chunk);
    if (this.#unreadBytes >= fullBytes) controller.pause();
    this.#wake();
  }

  onResponseEnd(): void {
    this.#isComplete = true;
    this.#wake();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#dispatched();
    this.#fail(connectionFailure(this.#parts.target, this.#progress, error));
  }

  #dispatched(): void {
    if (this.#isDispatched) return;
    this.#isDispatched = true;
    this.#parts.onDispatched();
  }

  #fail(failure: HoldfastError): void {
    if (this.#failure !== undefined || this.#isComplete) return;
    this.#failure = failure;
    this.#chunks = [];
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.reject(failure);
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.resolve();
  }

  #change(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** Only the server's silence counts, not the reader's. */
  async #nextInTime(): Promise<void> {
    const { clock, deadlines, target, idleTimeoutMs } = this.#parts;
    const unwatch = deadlines.watch(clock.now() + idleTimeoutMs, () =>
      this.abort(answerStopped(target, idleTimeoutMs)),
    );
    try {
      await this.#change();
    } finally {
      unwatch();
    }
  }
}
