import type { StatusObject } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import { encodeServerFrames, type ServerFrame } from './session-codec.ts';

/** What a session needs of its gRPC stream; messages are bytes. */
export interface SessionStream {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'end' | 'cancelled' | 'drain', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  emit(event: 'error', status: StatusObject): unknown;
  write(bytes: Buffer): boolean;
  end(): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** Frames are gathered into messages of about this size; stock clients take 4 MiB. */
const messageBytes = 1024 * 1024;
/** With so much unread, no more requests are read. */
const pauseAboveBytes = 4 * 1024 * 1024;

/**
 * Sends a session's answers: all that are ready in one turn of the event loop as one message, and no faster than the client takes them.
 * Only unread bytes stop the reading of requests.
 */
export class SessionWriter {
  readonly #stream: SessionStream;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #onStall: () => void;
  #waiting: ServerFrame[] = [];
  #waitingBytes = 0;
  #scheduled = false;
  #blocked = false;
  #paused = false;
  #ending = false;
  #stopped = false;
  #stopStallTimer: (() => void) | undefined;

  constructor(stream: SessionStream, clock: Clock, stallMs: number, onStall: () => void) {
    this.#stream = stream;
    this.#clock = clock;
    this.#stallMs = stallMs;
    this.#onStall = onStall;
    stream.on('drain', () => this.#drained());
  }

  send(frame: ServerFrame): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.response.length;
    if (this.#blocked) this.#pauseReading();
    else this.#schedule();
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.#ending = true;
    if (!this.#blocked) this.#schedule();
  }

  /** Ends the stream with an error; what waits is dropped. */
  fail(status: StatusObject): void {
    this.#waiting = [];
    this.#stream.emit('error', status);
  }

  /** No timer of it runs any more. */
  stop(): void {
    this.#stopped = true;
    this.#stopStallTimer?.();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && !this.#blocked) {
      const message = encodeServerFrames(this.#takeMessage());
      this.#blocked = !this.#stream.write(message);
    }
    if (this.#blocked) return this.#watchForStall();
    if (this.#ending) this.#stream.end();
    return undefined;
  }

  #takeMessage(): ServerFrame[] {
    if (this.#waitingBytes <= messageBytes) {
      const all = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      return all;
    }
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < messageBytes)) {
      bytes += (this.#waiting[count] as ServerFrame).response.length;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #watchForStall(): void {
    if (this.#stopped) return;
    this.#stopStallTimer?.();
    this.#stopStallTimer = this.#clock.after(this.#stallMs, this.#onStall);
  }

  #pauseReading(): void {
    if (this.#paused || this.#waitingBytes < pauseAboveBytes) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #drained(): void {
    this.#blocked = false;
    this.#stopStallTimer?.();
    this.#stopStallTimer = undefined;
    this.#flush();
    if (this.#paused && !this.#blocked) {
      this.#paused = false;
      this.#stream.resume();
    }
  }
}
