import type { Scope } from '../../platform/call.ts';

/** A scope that its owner closes. */
export class OpenScope implements Scope {
  readonly #push: (field: string, message: object) => void;
  readonly room: () => Promise<void> | undefined;
  readonly outlivesCall: boolean;
  readonly #listeners = new Set<() => void>();
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
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  push(field: string, message: object): void {
    if (!this.#closed) this.#push(field, message);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
