import type { Priority } from './call.ts';

/** One who waits, as a link of a list, so that leaving from the middle costs nothing. */
interface Link<T> {
  readonly value: T;
  readonly line: Line<T>;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
  queued: boolean;
}

interface Line<T> {
  head: Link<T> | undefined;
  tail: Link<T> | undefined;
}

/** A queue by priority, then first come, first served. */
export class WaitQueue<T> {
  readonly #lines: Readonly<Record<Priority, Line<T>>> = {
    high: emptyLine(),
    normal: emptyLine(),
    low: emptyLine(),
  };
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Queues a value at the end of its priority's line; the result takes it out again, if it is still there. */
  push(value: T, priority: Priority): () => void {
    const line = this.#lines[priority];
    const link: Link<T> = { value, line, previous: line.tail, next: undefined, queued: true };
    if (line.tail === undefined) line.head = link;
    else line.tail.next = link;
    line.tail = link;
    this.#length += 1;
    return () => this.#unlink(link);
  }

  peek(): T | undefined {
    return this.#first()?.value;
  }

  /** Who is first of a priority; undefined when nobody of it waits. */
  firstOf(priority: Priority): T | undefined {
    return this.#lines[priority].head?.value;
  }

  shift(): T | undefined {
    const link = this.#first();
    if (link !== undefined) this.#unlink(link);
    return link?.value;
  }

  /** Takes out whoever came last among the least urgent of those that are less urgent than `priority`; undefined when there is none. */
  shed(priority: Priority): T | undefined {
    const lines = this.#lines;
    const below = priority === 'high' ? [lines.low, lines.normal] : [lines.low];
    const link = priority === 'low' ? undefined : (below[0]?.tail ?? below[1]?.tail);
    if (link !== undefined) this.#unlink(link);
    return link?.value;
  }

  /** Takes everyone out, in order. */
  drain(): T[] {
    const all: T[] = [];
    for (let value = this.shift(); value !== undefined; value = this.shift()) all.push(value);
    return all;
  }

  #first(): Link<T> | undefined {
    return this.#lines.high.head ?? this.#lines.normal.head ?? this.#lines.low.head;
  }

  #unlink(link: Link<T>): void {
    if (!link.queued) return;
    link.queued = false;
    if (link.previous === undefined) link.line.head = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) link.line.tail = link.previous;
    else link.next.previous = link.previous;
    // Whoever still has this link keeps nobody else's.
    link.previous = undefined;
    link.next = undefined;
    this.#length -= 1;
  }
}

const emptyLine = <T>(): Line<T> => ({ head: undefined, tail: undefined });
