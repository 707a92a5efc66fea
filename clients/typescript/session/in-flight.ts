import type { PendingCall } from './pending-call.ts';

/** The calls of a session that wait for their final answer, by id. Ids stay as small as they can, so that they take one byte or two. */
export class InFlight {
  readonly #slots: (PendingCall | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of their frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The id that `add` will give next. */
  get nextId(): number {
    return this.#freeIds.at(-1) ?? this.#slots.length;
  }

  add(call: PendingCall, size: number): void {
    const id = this.nextId;
    if (this.#freeIds.length > 0) this.#freeIds.pop();
    call.id = id;
    call.size = size;
    this.#slots[id] = call;
    this.#count += 1;
    this.#bytes += size;
  }

  get(id: number): PendingCall | undefined {
    return this.#slots[id];
  }

  release(call: PendingCall): void {
    this.#slots[call.id] = undefined;
    this.#freeIds.push(call.id);
    this.#count -= 1;
    this.#bytes -= call.size;
  }

  *[Symbol.iterator](): Generator<PendingCall> {
    for (const call of this.#slots) if (call !== undefined) yield call;
  }
}
