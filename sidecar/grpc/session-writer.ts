import type { StatusObject } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import { encodeServerFrames, type ServerFrame } from './session-codec.ts';

/** What a session needs of its gRPC stream; messages are bytes. */
export interface SessionStream {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'end' | 'cancelled', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  emit(event: 'error', status: StatusObject): unknown;
  /** `taken` is called when the client's flow control has let all of it through. */
  write(bytes: Buffer, taken: () => void): unknown;
  end(): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** What the writer asks of its session. */
interface WriterOwner {
  /** Requests are in flight whose answers may still come in this turn. */
  readonly isBusy: () => boolean;
  readonly onStall: () => void;
}

interface WriterLimits {
  /** No message is larger, unless a single frame is. */
  readonly maxMessageBytes: number;
  /** How long the client may take nothing while answers wait for it. */
  readonly stallMs: number;
}

/** Frames are gathered into messages of about this size, never above `maxMessageBytes`; stock clients take 4 MiB. */
const messageBytes = 256 * 1024;
/** What may be on its way to the client. The rest waits here, where small answers can pass large ones. */
const underWayBytes = 1024 * 1024;
/** With so much unread, no more requests are read, and none that has not begun begins. The largest single answer fits in. */
const fullBytes = 17 * 1024 * 1024;
/** What an answer takes while it waits, however short it is: of most frames that end or cancel something there is no byte. */
export const frameBytes = 64;
/** Those who wait for room are let in by so many. */
const letInAtOnce = 16;

/**
 * Sends a session's answers: all that are ready in one turn of the event loop as one message, and no faster than the client takes them.
 * Only unread bytes stop the reading of requests, and hold back those that were read.
 */
export class SessionWriter {
  readonly #stream: SessionStream;
  readonly #clock: Clock;
  readonly #limits: WriterLimits;
  readonly #owner: WriterOwner;
  #waiting: ServerFrame[] = [];
  /** What is left of answers in several parts. They take turns. */
  #parted: (readonly ServerFrame[])[] = [];
  #waitingBytes = 0;
  #underWayBytes = 0;
  #takenAtMs = 0;
  #scheduled = false;
  #paused = false;
  readonly #wantRoom: (() => void)[] = [];
  #ending = false;
  #stopped = false;
  #stopStallTimer: (() => void) | undefined;

  constructor(stream: SessionStream, clock: Clock, limits: WriterLimits, owner: WriterOwner) {
    this.#stream = stream;
    this.#clock = clock;
    this.#limits = limits;
    this.#owner = owner;
  }

  send(frame: ServerFrame): void {
    this.#waiting.push(frame);
    this.#added(costOf(frame));
  }

  /** Sends one answer in parts, between which other answers may pass. */
  sendParts(frames: readonly ServerFrame[]): void {
    this.#parted.push(frames);
    this.#added(frames.reduce((bytes, frame) => bytes + costOf(frame), 0));
  }

  /** Undefined while the client takes what it is sent; else resolves when there may be room for more. */
  room(): Promise<void> | undefined {
    if (this.#waitingBytes < fullBytes || this.#stopped) return undefined;
    return new Promise((resolve) => this.#wantRoom.push(resolve));
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.#ending = true;
    this.#schedule();
  }

  /** Ends the stream with an error; what waits is dropped. */
  fail(status: StatusObject): void {
    this.stop();
    this.#stream.emit('error', status);
  }

  /** Sends nothing more, and no timer of it runs. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#parted = [];
    this.#letIn(this.#wantRoom.length);
    this.#stopStallTimer?.();
  }

  #added(bytes: number): void {
    this.#waitingBytes += bytes;
    if (this.#underWayBytes < underWayBytes) this.#schedule();
    else if (!this.#paused && this.#waitingBytes >= fullBytes) {
      this.#paused = true;
      this.#stream.pause();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A busy session gathers the answers of the whole turn; for the only call it would be a detour through the event loop, of some 30 µs.
    if (this.#owner.isBusy()) setImmediate(this.#flushNow);
    else process.nextTick(this.#flushNow);
  }

  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#stopped) return;
    while (this.#waiting.length + this.#parted.length > 0) {
      if (this.#underWayBytes >= underWayBytes) return;
      this.#write(encodeServerFrames(this.#takeMessage()));
    }
    if (this.#ending) this.#stream.end();
  }

  #write(message: Buffer): void {
    if (this.#underWayBytes === 0) this.#takenAtMs = this.#clock.now();
    this.#underWayBytes += message.length;
    if (this.#stopStallTimer === undefined) this.#watchForStall(this.#limits.stallMs);
    this.#stream.write(message, () => this.#taken(message.length));
  }

  /** Small answers in their order, and one part of a large one. */
  #takeMessage(): readonly ServerFrame[] {
    const { maxMessageBytes } = this.#limits;
    let bytes = 0;
    let count = 0;
    for (const frame of this.#waiting) {
      const fits = bytes + costOf(frame) <= maxMessageBytes;
      if (bytes >= messageBytes || (count > 0 && !fits)) break;
      bytes += costOf(frame);
      count += 1;
    }
    this.#waitingBytes -= bytes;
    const frames = this.#takeWaiting(count);
    const [parts] = this.#parted;
    const [part] = parts ?? [];
    if (parts === undefined || part === undefined) return frames;
    if (count > 0 && bytes + costOf(part) > maxMessageBytes) return frames;
    this.#waitingBytes -= costOf(part);
    this.#parted.shift();
    if (parts.length > 1) this.#parted.push(parts.slice(1));
    return [...frames, part];
  }

  #takeWaiting(count: number): readonly ServerFrame[] {
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  #taken(bytes: number): void {
    const wasFull = this.#underWayBytes >= underWayBytes;
    this.#underWayBytes -= bytes;
    this.#takenAtMs = this.#clock.now();
    if (wasFull) this.#flush();
    if (this.#waitingBytes >= fullBytes) return;
    this.#letIn(this.#underWayBytes === 0 ? this.#wantRoom.length : letInAtOnce);
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  #letIn(count: number): void {
    for (const resolve of this.#wantRoom.splice(0, count)) resolve();
  }

  /** One timer for many messages: when it rings it looks at when the client took something last. */
  #watchForStall(afterMs: number): void {
    this.#stopStallTimer = this.#clock.after(afterMs, () => {
      this.#stopStallTimer = undefined;
      if (this.#underWayBytes === 0 || this.#stopped) return;
      const leftMs = this.#takenAtMs + this.#limits.stallMs - this.#clock.now();
      if (leftMs > 0) this.#watchForStall(leftMs);
      else this.#owner.onStall();
    });
  }
}

const costOf = ({ response }: ServerFrame): number => frameBytes + response.length;
