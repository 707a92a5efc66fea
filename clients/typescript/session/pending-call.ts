import { undecodable } from '../errors.ts';
import type { CallOptions } from '../options.ts';
import type { ByteReader } from '../wire/byte-reader.ts';
import { cancel, commit, type Opened, type Operation, rollback } from '../wire/operations.ts';
import type { SessionTransaction } from './session-transaction.ts';

type AnyOperation = Operation<never, unknown>;

/**
 * One call of a session, from the moment it is made until its answer. Settled at most once; one that its caller gave up is settled and
 * still keeps its id until the sidecar's final answer.
 */
export class PendingCall {
  readonly operation: AnyOperation;
  readonly request: unknown;
  readonly options: CallOptions;
  readonly transaction: SessionTransaction | undefined;
  readonly deadlineAtMs: number;
  /** Of its frame; 0 while it has not been sent. */
  id = 0;
  /** Bytes of its frame; 0 while it has not been sent. */
  size = 0;
  /** The encoded request, while it is held back. */
  body: Uint8Array | undefined = undefined;
  settled = false;
  /** What its answer has opened, also when nobody waits for it any more. */
  opened: Opened | undefined = undefined;
  /** Its caller had given up when its answer came. */
  abandoned = false;
  #reply: unknown = undefined;
  readonly #resolve: (reply: never) => void;
  readonly #reject: (error: unknown) => void;
  #onAbort: (() => void) | undefined = undefined;

  constructor(
    operation: AnyOperation,
    request: unknown,
    options: CallOptions,
    transaction: SessionTransaction | undefined,
    deadlineAtMs: number,
    resolve: (reply: never) => void,
    reject: (error: unknown) => void,
  ) {
    this.operation = operation;
    this.request = request;
    this.options = options;
    this.transaction = transaction;
    this.deadlineAtMs = deadlineAtMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get sent(): boolean {
    return this.id !== 0;
  }

  get isCommit(): boolean {
    return this.operation === (commit as AnyOperation);
  }

  /** Cancelling it is of no use. */
  get isFinal(): boolean {
    const { operation } = this;
    return (
      operation === (commit as AnyOperation) ||
      operation === (rollback as AnyOperation) ||
      operation === (cancel as AnyOperation)
    );
  }

  onAbort(signal: AbortSignal, listener: () => void): void {
    this.#onAbort = listener;
    signal.addEventListener('abort', listener, { once: true });
  }

  /** Takes in one part of the answer. A part that cannot be read fails this call alone: its bounds are known from outside. */
  read(field: number, reader: ByteReader, end: number, more: boolean): void {
    if (this.settled && this.operation.opens === undefined) return;
    try {
      if (field !== this.operation.field) throw new Error(`the answer has field ${field}`);
      this.#reply = this.operation.read(reader, end, this.request as never, this.#reply);
    } catch (cause) {
      this.fail(undecodable(cause));
      return;
    }
    if (more) return;
    this.opened = this.operation.opens?.(this.#reply);
    this.abandoned = this.settled;
    if (this.abandoned) return;
    this.#settle();
    this.#resolve(this.#reply as never);
  }

  fail(error: unknown): void {
    if (this.settled) return;
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.settled = true;
    if (this.#onAbort === undefined) return;
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#onAbort = undefined;
  }
}
