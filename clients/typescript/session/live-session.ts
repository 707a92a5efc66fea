import { TurnoverMap } from '../../../platform/turnover-map.ts';
import { HoldfastError } from '../errors.ts';
import type { ByteReader } from '../wire/byte-reader.ts';
import { ByteWriter } from '../wire/byte-writer.ts';
import { decodeMessage } from '../wire/contract.ts';
import { readServerFrames, serverField, writeFrame } from '../wire/frames.ts';
import { type Loss, readLockLost } from '../wire/lock-messages.ts';
import { begin } from '../wire/operations.ts';
import { errorFromStatus, type Status, toError } from '../wire/status.ts';
import { InFlight } from './in-flight.ts';
import { PendingCall } from './pending-call.ts';
import type { SessionTransaction } from './session-transaction.ts';

/** The stream under a session: messages of bytes, both ways. */
export interface MessageStream {
  /** False asks to write no more until it has drained. */
  write(message: Buffer): boolean;
  /** Half-close. */
  end(): void;
  cancel(): void;
}

/** What a session tells its owner. */
export interface SessionEvents {
  /** The sidecar has announced its limits: calls may be sent. */
  onReady(): void;
  /** There may be room for more calls. */
  onRoom(): void;
  /** A lock is lost, or whatever else was open has ended with the session. */
  onLost(id: string, loss: Loss): void;
}

interface Limits {
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  readonly maxMessageBytes: number;
}

/** Frames over this are never sent: more than any envelope around a request. */
const envelopeBytes = 256;

/**
 * One open session: sends calls as frames, all of one turn of the event loop in one message, and gives each answer to its call.
 *
 * It starts without limits known and sends nothing; the first frame of the sidecar makes it ready; the end of the stream ends it for good.
 */
export class LiveSession {
  readonly #stream: MessageStream;
  readonly #events: SessionEvents;
  readonly #inFlight = new InFlight();
  readonly #transactions = new Map<number, SessionTransaction>();
  /** Ids of permits and locks, which end with the session. */
  readonly #opened = new TurnoverMap<string, string>();
  readonly #writer = new ByteWriter();
  /** Messages that are full, in the order of their frames, before those of `#writer`. */
  readonly #full: Buffer[] = [];
  #limits: Limits | undefined;
  #flushing = false;
  #blocked = false;
  #ended = false;
  #draining = false;

  constructor(open: (session: LiveSession) => MessageStream, events: SessionEvents) {
    this.#events = events;
    this.#stream = open(this);
  }

  get inFlight(): Iterable<PendingCall> {
    return this.#inFlight;
  }

  /** The sidecar stops: only what has begun goes on here. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** Some caller waits for an answer. */
  get isAwaited(): boolean {
    for (const { settled } of this.#inFlight) if (!settled) return true;
    return false;
  }

  /**
   * Whether the session's limits leave room for the call. An eighth of them is kept for transactions that hold a connection: all others
   * may be waiting for just that connection.
   */
  hasRoomFor(call: PendingCall): boolean {
    const limits = this.#limits;
    if (limits === undefined || this.#ended) return false;
    if (call.operation.exempt) return true;
    if (this.#blocked) return false;
    if (this.#draining && !this.#transactions.has(call.transaction?.id ?? 0)) return false;
    const part = call.transaction?.hasBegun === true ? 1 : 7 / 8;
    const { count, bytes } = this.#inFlight;
    if (count >= Math.max(1, Math.floor(limits.maxInFlight * part))) return false;
    const size = call.body === undefined ? 0 : call.body.length + envelopeBytes;
    return count === 0 || bytes + size <= limits.maxInFlightBytes * part;
  }

  /** Writes the call's frame; false when it turns out too large for the room there is. Throws when it can never be sent. */
  send(call: PendingCall, nowMs: number): boolean {
    const limits = this.#limits as Limits;
    const writer = this.#writer;
    const start = writer.length;
    const id = this.#inFlight.nextId;
    try {
      writeFrame(writer, id, call.transaction?.id ?? 0, call.deadlineAtMs - nowMs, call);
    } catch (error) {
      writer.truncate(start);
      throw error;
    }
    const size = writer.length - start;
    const { exempt } = call.operation;
    if (size > Math.min(limits.maxMessageBytes, exempt ? Infinity : limits.maxInFlightBytes)) {
      writer.truncate(start);
      throw tooLarge(size, limits);
    }
    if (!exempt) {
      const { count, bytes } = this.#inFlight;
      if (count > 0 && bytes + size > limits.maxInFlightBytes) {
        writer.truncate(start);
        return false;
      }
    }
    if (writer.length > limits.maxMessageBytes && start > 0) this.#full.push(writer.take(start));
    this.#inFlight.add(call, size);
    call.body = undefined;
    if (isBegin(call.operation)) this.#bind(call.transaction as SessionTransaction);
    this.#flushSoon();
    return true;
  }

  /** Takes a ServerFrames message. Throws when it breaks the rules of a session. */
  receive(message: Buffer): void {
    readServerFrames(message, this);
    this.#events.onRoom();
    if (this.#draining && this.#isFree) this.#leave();
  }

  get #isFree(): boolean {
    return this.#inFlight.count + this.#transactions.size + this.#opened.size === 0;
  }

  onFrame(id: number, more: boolean, field: number, reader: ByteReader, end: number): void {
    if (id === 0) return this.#onPush(field, reader.bytes.subarray(reader.at, end));
    const call = this.#inFlight.get(id);
    if (call === undefined) throw new Error(`an answer to frame ${id}, which is not in flight`);
    if (field === serverField.error) {
      this.#fail(call, errorFromStatus(reader.bytes.subarray(reader.at, end)));
    } else {
      call.read(field, reader, end, more);
    }
    if (more) return;
    this.#inFlight.release(call);
    this.#follow(call);
    if (call.isFinal && call.transaction !== undefined) {
      this.#transactions.delete(call.transaction.id);
    }
  }

  onDrain(): void {
    this.#blocked = false;
    this.#flush();
    this.#events.onRoom();
  }

  /** The stream has ended: nothing is sent or answered any more. `errorFor` says what a call in flight fails with. */
  onEnd(errorFor: (call: PendingCall) => HoldfastError, transactionError: HoldfastError): void {
    this.#ended = true;
    for (const call of this.#inFlight) call.fail(errorFor(call));
    for (const transaction of this.#transactions.values()) transaction.lose(transactionError);
    for (const id of this.#opened.values()) this.#events.onLost(id, 'session');
  }

  /** Sends what is written and closes this side. */
  end(): void {
    this.#flush();
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  /** Nothing more is to be had from a sidecar that stops. */
  #leave(): void {
    if (this.#ended) return;
    this.end();
    this.#ended = true;
  }

  #fail(call: PendingCall, error: HoldfastError): void {
    const { transaction } = call;
    if (transaction !== undefined && isBegin(call.operation)) {
      transaction.lose(error);
      this.#transactions.delete(transaction.id);
    }
    // What followed a failed Begin without waiting for it is told why.
    const isConsequence = error.reason === 'UNKNOWN_TRANSACTION';
    call.fail((isConsequence ? transaction?.lost : undefined) ?? error);
  }

  /** What nobody waits for any more is given back: its place is taken. */
  #follow({ operation, request, opened, abandoned }: PendingCall): void {
    const closed = operation.closes?.(request as never);
    if (closed !== undefined) this.#opened.delete(closed);
    if (opened === undefined) return;
    if (!abandoned) {
      this.#opened.set(opened.id, opened.id);
      return;
    }
    const { operation: undo, request: its } = opened.undo;
    this.send(new PendingCall(undo, its, {}, undefined, Infinity, ignore, ignore), 0);
  }

  #bind(transaction: SessionTransaction): void {
    this.#transactions.set(transaction.id, transaction);
  }

  #onPush(field: number, bytes: Buffer): void {
    if (field === serverField.info) {
      const info = decodeMessage('holdfast.v1.SessionInfo', bytes) as unknown as Limits;
      this.#limits = {
        maxInFlight: info.maxInFlight || Infinity,
        maxInFlightBytes: info.maxInFlightBytes || Infinity,
        maxMessageBytes: info.maxMessageBytes || Infinity,
      };
      this.#events.onReady();
    } else if (field === serverField.transactionEnded) {
      const { transactionId, reason } = decodeMessage('holdfast.v1.TransactionEnded', bytes);
      this.#transactions.get(transactionId as number)?.lose(toError(reason as Status));
      this.#transactions.delete(transactionId as number);
    } else if (field === serverField.lockLost) {
      const { leaseId, reason } = readLockLost(bytes);
      if (this.#opened.delete(leaseId)) this.#events.onLost(leaseId, reason);
    } else if (field === serverField.draining) {
      this.#draining = true;
    }
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    // The only call has nobody to share its message with.
    if (this.#inFlight.count > 1) setImmediate(this.#flush);
    else process.nextTick(this.#flush);
  }

  #write(message: Buffer): void {
    if (!this.#stream.write(message)) this.#blocked = true;
  }

  readonly #flush = (): void => {
    this.#flushing = false;
    if (this.#ended || this.#blocked) return;
    if (this.#full.length > 0) {
      for (const message of this.#full.splice(0)) this.#write(message);
    }
    if (this.#writer.length > 0) this.#write(this.#writer.take());
  };
}

function ignore(): void {}

const isBegin = (operation: unknown): boolean => operation === begin;

const tooLarge = (size: number, { maxMessageBytes, maxInFlightBytes }: Limits): HoldfastError =>
  new HoldfastError(
    'RESOURCE_EXHAUSTED',
    'SESSION_LIMIT',
    `the request takes ${size} bytes; a session allows ${Math.min(maxMessageBytes, maxInFlightBytes)}`,
  );
