import type { Scope } from '../../platform/call.ts';

/** Whoever wants to hear of the end. */
class Listener {
  onClose: (() => void) | undefined;
  previous: Listener | undefined;
  next: Listener | undefined;

  constructor(onClose: () => void, previous: Listener | undefined) {
    this.onClose = onClose;
    this.previous = previous;
    this.next = undefined;
  }
}

/** A scope that its owner closes. */
export class OpenScope implements Scope {
  readonly #push: (field: string, message: object) => void;
  readonly room: () => Promise<void> | undefined;
  readonly outlivesCall: boolean;
  /** In the order in which they came. No Set: it keeps what came and went (see TurnoverMap). */
  #oldest: Listener | undefined;
  #youngest: Listener | undefined;
  #closed = false;

  constructor(
    push: (field: string, message: object) => void = () => {},
    room: () => Promise<void> | undefined = () => undefined,
    outlivesCall = false,
  ) {
    this.#push = push;
    this.room = room;
    this.outlivesCall = outlivesCall;
  }

  onClose(listener: () => void): () => void {
    if (this.#closed) {
      listener();
      return () => {};
    }
    const added = new Listener(listener, this.#youngest);
    if (this.#youngest === undefined) this.#oldest = added;
    else this.#youngest.next = added;
    this.#youngest = added;
    return () => this.#remove(added);
  }

  push(field: string, message: object): void {
    if (!this.#closed) this.#push(field, message);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // One of them may take off others.
    for (let first = this.#oldest; first !== undefined; first = this.#oldest) {
      const { onClose } = first;
      this.#remove(first);
      onClose?.();
    }
  }

  #remove(listener: Listener): void {
    const { previous, next } = listener;
    if (listener.onClose === undefined) return;
    if (previous === undefined) this.#oldest = next;
    else previous.next = next;
    if (next === undefined) this.#youngest = previous;
    else next.previous = previous;
    listener.onClose = undefined;
    listener.previous = undefined;
    listener.next = undefined;
  }
}
