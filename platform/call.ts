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

type Listener = (reason: HoldfastError) => void;

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
  #listener: Listener | Call | undefined;
  #more: Set<Listener | Call> | undefined;
  #controller: AbortController | undefined;

  constructor(options: CallOptions) {
    this.scope = options.scope;
    this.deadlineAtMs = options.deadlineAtMs;
    this.priority = options.priority ?? 'normal';
    this.traceparent = options.traceparent ?? '';
    this.transactionId = options.transactionId ?? 0;
  }

  /** The same call with less time: it ends with this one, until it is parted; whoever asks for it ends it at `deadlineAtMs`. */
  within(deadlineAtMs: number): Call {
    const { scope, priority, traceparent, transactionId } = this;
    const limited = new Call({ scope, deadlineAtMs, priority, traceparent, transactionId });
    if (this.#ended === undefined) this.#add(limited);
    else limited.end(this.#ended);
    return limited;
  }

  /** What comes of this call does not matter any more to one that `within` made. */
  part(limited: Call): void {
    this.#remove(limited);
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
    this.#add(listener);
    return () => this.#remove(listener);
  }

  /** Ends the call early. Later ends are ignored. */
  end(reason: HoldfastError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) tell(listener, reason);
    // One of them may take off others.
    if (this.#more !== undefined) for (const each of this.#more) tell(each, reason);
    this.#more = undefined;
  }

  #add(listener: Listener | Call): void {
    // Nearly every call has one listener: no Set for that.
    if (this.#listener === undefined) this.#listener = listener;
    else (this.#more ??= new Set()).add(listener);
  }

  #remove(listener: Listener | Call): void {
    if (this.#listener === listener) this.#listener = undefined;
    else this.#more?.delete(listener);
  }
}

/** A call with less time hears as it is: a closure for each try would cost more than all the rest of it. */
const tell = (listener: Listener | Call, reason: HoldfastError): void =>
  listener instanceof Call ? listener.end(reason) : listener(reason);

export const cancelled = (): HoldfastError =>
  new HoldfastError('cancelled', 'CANCELLED', 'the call was cancelled by its caller');

export const deadlineExceeded = (): HoldfastError =>
  new HoldfastError('deadline', 'DEADLINE_EXCEEDED', "the call's deadline passed");
