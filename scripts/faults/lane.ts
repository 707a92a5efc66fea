import type { Socket } from 'node:net';
import type { Fault } from './fault.ts';

interface LaneParts {
  readonly from: Socket;
  readonly to: Socket;
  readonly held: () => boolean;
  /** undefined: as fast as it goes. */
  readonly bytesPerSecond: () => number | undefined;
  /** Carries out what is not about bytes; they are flushed then. */
  readonly strike: (fault: Strike) => void;
}

/** The faults that end a connection or hold it. */
export type Strike = Extract<
  Fault,
  { readonly cut: unknown } | { readonly cutClient: unknown } | { readonly reset: true }
>;

interface Item {
  bytes: Buffer;
  readonly dueAtMs: number;
  /** After the bytes. */
  readonly strike?: Strike | undefined;
  /** Before the bytes. */
  hold?: (() => void) | undefined;
  readonly end?: boolean;
}

/** What a source may have waiting here before it is not read any more. */
const maxWaitingBytes = 256 * 1024;

const slowStepMs = 20;

/** One direction of a connection: passes bytes on in their order, as late and as slowly as it is told. */
export class Lane {
  readonly #parts: LaneParts;
  readonly #items: Item[] = [];
  #waitingBytes = 0;
  #latencyMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #full = false;
  #closed = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    parts.to.on('drain', () => {
      this.#full = false;
      this.advance();
    });
  }

  /** Bytes from now on come so many ms after they were said. */
  set latencyMs(latencyMs: number) {
    this.#latencyMs = latencyMs;
  }

  get closed(): boolean {
    return this.#closed;
  }

  add(bytes: Buffer, strike?: Strike, hold?: () => void): void {
    if (this.#closed) return;
    this.#waitingBytes += bytes.length;
    this.#items.push({ bytes, strike, hold, dueAtMs: this.#dueAtMs() });
    this.advance();
  }

  /** The source says no more: told when all that it said has gone on. */
  end(): void {
    if (this.#closed) {
      if (!this.#parts.to.destroyed) this.#parts.to.end();
      return;
    }
    this.#items.push({ bytes: Buffer.alloc(0), end: true, dueAtMs: this.#dueAtMs() });
    this.advance();
  }

  /** Nothing more goes through. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#items.length = 0;
  }

  /** Passes on whatever may go now. */
  advance(): void {
    while (!this.#closed && this.#timer === undefined && !this.#full) {
      const [item] = this.#items;
      if (item === undefined) break;
      if (!this.#mayGo(item)) break;
      this.#pass(item);
    }
    this.#throttle();
  }

  #mayGo(item: Item): boolean {
    item.hold?.();
    item.hold = undefined;
    if (this.#parts.held()) return false;
    const earlyMs = item.dueAtMs - performance.now();
    if (earlyMs > 0) this.#wait(earlyMs);
    return earlyMs <= 0;
  }

  #pass(item: Item): void {
    const { to, bytesPerSecond } = this.#parts;
    const limit = bytesPerSecond();
    const step =
      limit === undefined
        ? item.bytes.length
        : Math.max(1, Math.floor((limit * slowStepMs) / 1_000));
    const bytes = item.bytes.subarray(0, step);
    item.bytes = item.bytes.subarray(step);
    this.#waitingBytes -= bytes.length;
    if (bytes.length > 0) this.#full = !to.write(bytes);
    if (limit !== undefined) this.#wait((bytes.length * 1_000) / limit);
    if (item.bytes.length > 0) return;
    this.#items.shift();
    if (item.end === true) to.end();
    if (item.strike !== undefined) this.#strike(item.strike);
  }

  #strike(strike: Strike): void {
    this.close();
    // Called back when everything before it has gone to the kernel.
    this.#parts.to.write(Buffer.alloc(0), () => this.#parts.strike(strike));
  }

  #wait(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.advance();
    }, delayMs);
  }

  #dueAtMs(): number {
    return this.#latencyMs === 0 && this.#items.length === 0
      ? 0
      : Math.max(performance.now() + this.#latencyMs, this.#items.at(-1)?.dueAtMs ?? 0);
  }

  #throttle(): void {
    if (this.#closed) return;
    if (this.#waitingBytes > maxWaitingBytes || this.#full) this.#parts.from.pause();
    else this.#parts.from.resume();
  }
}
