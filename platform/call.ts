import { HoldfastError } from './errors.ts';

export type Priority = 'high' | 'normal' | 'low';

/** What outlives a single call: one session stream, or one unary call by itself. Services hang what they opened on it. */
export interface Scope {
  /** It lives on after the call, as a session does; absent is false. */
  readonly outlivesCall?: boolean;
  /** Runs when the scope closes, whatever the reason; at once when it has closed already. The result takes the listener off again. */
  onClose(listener: () => void): () => void;
  /** Sends a frame nobody asked for; ignored by scopes that cannot. `field` is a response field of ServerFrame. */
  push(field: string, message: object): void;
  /** Undefined while the client takes answers as fast as they come; else resolves when it has caught up. */
  room?(): Promise<void> | undefined;
}

interface CallOptions {
  readonly scope: Scope;
  /** On the clock's monotonic scale; Infinity for none. */
  readonly deadlineAtMs: number;
  readonly priority?: Priority;
  readonly traceparent?: string;
  readonly transactionId?: number;
}

/**
 * The context of one call: how long it may take, how urgent it is, what it belongs to. Used by that call alone.
 *
 * It ends early at most once, by cancellation or deadline; whoever works for it learns so through `onEnd` and gives up soon.
 */
export class Call {
  readonly scope: Scope;
  readonly deadlineAtMs: number;
  readonly priority: Priority;
  readonly traceparent: string;
  /** The transaction its frame named; 0 for none. */
  readonly transactionId: number;
  #ended: HoldfastError | undefined;
  #listener: ((reason: HoldfastError) => void) | undefined;
  #more: Set<(reason: HoldfastError) => void> | undefined;
  #controller: AbortController | undefined;

  constructor(options: CallOptions) {
    this.scope = options.scope;
    this.deadlineAtMs = options.deadlineAtMs;
    this.priority = options.priority ?? 'normal';
    this.traceparent = options.traceparent ?? '';
    this.transactionId = options.transactionId ?? 0;
  }

  /** The same call with less time: whoever asks for it ends it, with this one and at `deadlineAtMs`. */
  within(deadlineAtMs: number): Call {
    const { scope, priority, traceparent, transactionId } = this;
    return new Call({ scope, deadlineAtMs, priority, traceparent, transactionId });
  }

  /** Why the call ended early: kind 'cancelled' or 'deadline'. */
  get ended(): HoldfastError | undefined {
    return this.#ended;
  }

  /** For libraries that want one; made only when asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      this.onEnd((reason) => controller.abort(reason));
    }
    return this.#controller.signal;
  }

  throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /**
   * What work with a large answer has to wait for before it starts: undefined while the client takes its answers, else resolves when it has
   * caught up, and rejects when the call ends, or when there is no room for too long. Answers that nobody takes would pile up without a bound.
   */
  room(): Promise<void> | undefined {
    const room = this.scope.room?.();
    if (room === undefined) return undefined;
    return new Promise((resolve, reject) => {
      const unlisten = this.onEnd(reject);
      room.finally(unlisten).then(resolve, reject);
    });
  }

  /** Calls back when the call ends early; at once when it has. The result takes the listener off again. */
  onEnd(listener: (reason: HoldfastError) => void): () => void {
    if (this.#ended !== undefined) {
      listener(this.#ended);
      return () => {};
    }
    // Nearly every call has one listener: no Set for that.
    if (this.#listener === undefined) {
      this.#listener = listener;
      return () => {
        if (this.#listener === listener) this.#listener = undefined;
      };
    }
    const more = (this.#more ??= new Set());
    more.add(listener);
    return () => more.delete(listener);
  }

  /** Ends the call early. Later ends are ignored. */
  end(reason: HoldfastError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    const listener = this.#listener;
    const more = this.#more;
    this.#listener = undefined;
    this.#more = undefined;
    listener?.(reason);
    if (more !== undefined) for (const each of more) each(reason);
  }
}

export const cancelled = (): HoldfastError =>
  new HoldfastError('cancelled', 'CANCELLED', 'the call was cancelled by its caller');

export const deadlineExceeded = (): HoldfastError =>
  new HoldfastError('deadline', 'DEADLINE_EXCEEDED', "the call's deadline passed");
