import { Call, cancelled, type Scope } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { Encoded } from '../../platform/grpc/encoded.ts';
import { TurnoverMap } from '../../platform/turnover-map.ts';
import type { FrameTable, SessionOperation } from './frame-table.ts';
import { OpenScope } from './open-scope.ts';
import type { RequestPath } from './request-path.ts';
import { decodeClientFrames, type ClientFrame } from './session-codec.ts';
import { frameBytes, SessionWriter, type SessionStream } from './session-writer.ts';

export interface SessionLimits {
  /** Calls without a final answer. */
  readonly maxInFlight: number;
  /** Bytes of their requests. */
  readonly maxInFlightBytes: number;
  /** Bytes of one message, either way. */
  readonly maxMessageBytes: number;
  /** How long a client may take nothing while answers wait for it. */
  readonly stallMs: number;
}

interface SessionParts {
  readonly table: FrameTable;
  readonly path: RequestPath;
  readonly limits: SessionLimits;
  readonly clock: Clock;
  readonly version: string;
}

interface InFlight {
  readonly call: Call;
  readonly operation: SessionOperation;
  readonly bytes: number;
}

/**
 * One session: frames in, each run as a call of its own, answers out. The rules are in session.proto.
 *
 * States: open → half-closed (the client sends no more; what it sent is answered) → closed. It closes from anywhere when the stream breaks,
 * and when the client breaks a rule. Closing cancels what still runs and closes the scope: transactions roll back.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #writer: SessionWriter;
  readonly #inFlight = new TurnoverMap<number, InFlight>();
  readonly #scope: OpenScope;
  #bytesInFlight = 0;
  #halfClosed = false;
  #closed = false;

  constructor(stream: SessionStream, parts: SessionParts) {
    this.#parts = parts;
    const { clock, limits, path, table, version } = parts;
    this.#writer = new SessionWriter(stream, clock, limits, {
      isBusy: () => this.#inFlight.size > 0,
      onStall: () => {
        this.#abandon();
        this.#writer.fail(table.trailer(stalled(limits.stallMs)));
      },
    });
    const push = (field: string, message: object): void => {
      const { number, serialize } = table.push(field);
      this.#writer.send({ id: 0, more: false, field: number, response: serialize(message) });
    };
    this.#scope = new OpenScope(push, () => this.#writer.room() ?? path.room(), true);
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('end', () => this.end());
    stream.on('cancelled', () => this.#abandon());
    stream.on('error', () => this.#abandon());
    this.#scope.push('info', {
      maxInFlight: limits.maxInFlight,
      maxInFlightBytes: limits.maxInFlightBytes,
      maxMessageBytes: limits.maxMessageBytes,
      stallMs: limits.stallMs,
      version,
    });
  }

  /** Tells the client to send no new calls. */
  drain(graceMs: number): void {
    this.#scope.push('draining', { graceMs });
  }

  /** Ends the session as soon as all that it has taken is answered. */
  end(): void {
    this.#halfClosed = true;
    this.#closeWhenAnswered();
  }

  /** For tests and for later services: what hangs on this session. */
  get scope(): Scope {
    return this.#scope;
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    let frames: ClientFrame[];
    try {
      frames = decodeClientFrames(bytes);
    } catch (cause) {
      return this.#fail(protocolError('a message is not a ClientFrames message', cause));
    }
    for (const frame of frames) {
      if (this.#closed) return;
      this.#accept(frame);
    }
  }

  #accept(frame: ClientFrame): void {
    const { id, field } = frame;
    if (id === 0) {
      return this.#fail(protocolError('a frame has the id 0, which is for what nobody asked for'));
    }
    if (this.#inFlight.has(id)) {
      return this.#fail(protocolError(`a frame has the id ${id}, which is still in use`));
    }
    const operation = this.#parts.table.operation(field);
    if (operation === undefined) return this.#answerError(id, unknownRequest(field));
    const refusal = this.#refusal(operation, frame);
    if (refusal !== undefined) {
      operation.refused?.(this.#callOf(frame));
      return this.#answerError(id, refusal);
    }
    let request: unknown;
    try {
      request = operation.deserialize(frame.request);
    } catch (cause) {
      return this.#fail(protocolError(`the request of frame ${id} does not decode`, cause));
    }
    if (operation.name === 'Session.Cancel') {
      return this.#cancel(id, operation, request as { id: number });
    }
    return this.#run(frame, operation, request);
  }

  #refusal(operation: SessionOperation, { request }: ClientFrame): HoldfastError | undefined {
    if (operation.exempt === true) return undefined;
    const { maxInFlight, maxInFlightBytes } = this.#parts.limits;
    if (this.#inFlight.size >= maxInFlight) {
      return overLimit(`${maxInFlight} calls without an answer`);
    }
    if (this.#bytesInFlight + request.length > maxInFlightBytes) {
      return overLimit(`${maxInFlightBytes} bytes of requests without an answer`);
    }
    return undefined;
  }

  #cancel(id: number, operation: SessionOperation, request: { id: number }): void {
    const target = this.#inFlight.get(request.id);
    if (target !== undefined && target.operation.uncancellable !== true) {
      target.call.end(cancelled());
    }
    this.#answer(id, operation, {});
  }

  #run(frame: ClientFrame, operation: SessionOperation, request: unknown): void {
    const { id } = frame;
    const call = this.#callOf(frame);
    let ran = false;
    const handle = (): Promise<unknown> => {
      ran = true;
      return operation.handle(request, call);
    };
    const bytes = frame.request.length;
    this.#inFlight.set(id, { call, operation, bytes });
    this.#bytesInFlight += bytes;
    const performed = this.#parts.path.perform(operation, request, call, handle);
    if (!ran) operation.refused?.(call);
    performed.then(
      (response) => {
        this.#forget(id, bytes);
        if (!this.#closed) this.#answer(id, operation, response);
        this.#closeWhenAnswered();
      },
      (error: HoldfastError) => {
        this.#forget(id, bytes);
        if (!this.#closed) this.#answerError(id, error);
        this.#closeWhenAnswered();
      },
    );
  }

  #callOf({ deadlineMs, priority, traceparent, transactionId }: ClientFrame): Call {
    return new Call({
      scope: this.#scope,
      deadlineAtMs: deadlineMs === 0 ? Infinity : this.#parts.clock.now() + deadlineMs,
      priority,
      traceparent,
      transactionId,
    });
  }

  #forget(id: number, bytes: number): void {
    this.#inFlight.delete(id);
    this.#bytesInFlight -= bytes;
  }

  #answer(id: number, { number, serialize }: SessionOperation, response: unknown): void {
    const { maxMessageBytes } = this.#parts.limits;
    const parts = response instanceof Encoded ? response.parts : undefined;
    if (parts === undefined || parts.length === 1) {
      const whole = parts?.[0] ?? serialize(response);
      if (whole.length + frameBytes > maxMessageBytes) {
        return this.#answerError(id, overMessage(maxMessageBytes));
      }
      return this.#writer.send({ id, more: false, field: number, response: whole });
    }
    if (parts.some(({ length }) => length + frameBytes > maxMessageBytes)) {
      return this.#answerError(id, overMessage(maxMessageBytes));
    }
    const last = parts.length - 1;
    this.#writer.sendParts(
      parts.map((part, at) => ({ id, more: at < last, field: number, response: part })),
    );
  }

  #answerError(id: number, error: HoldfastError): void {
    const { table } = this.#parts;
    this.#writer.send({
      id,
      more: false,
      field: table.errorNumber,
      response: table.encodeError(error),
    });
  }

  #closeWhenAnswered(): void {
    if (!this.#halfClosed || this.#inFlight.size > 0 || this.#closed) return;
    this.#close();
    this.#writer.end();
  }

  #fail(error: HoldfastError): void {
    if (this.#closed) return;
    this.#abandon();
    this.#writer.fail(this.#parts.table.trailer(error));
  }

  #abandon(): void {
    this.#writer.stop();
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { call, operation } of this.#inFlight.values()) {
      if (operation.uncancellable !== true) call.end(cancelled());
    }
    this.#scope.close();
  }
}

const protocolError = (message: string, cause?: unknown): HoldfastError =>
  new HoldfastError('invalid', 'SESSION_PROTOCOL', message, { cause });

const unknownRequest = (field: number): HoldfastError =>
  field === 0
    ? new HoldfastError('invalid', 'INVALID_REQUEST', 'the frame has no request')
    : new HoldfastError(
        'unimplemented',
        'UNIMPLEMENTED',
        `this sidecar does not know the request with the field number ${field}`,
      );

const overLimit = (limit: string): HoldfastError =>
  new HoldfastError('exhausted', 'SESSION_LIMIT', `the session has ${limit}, its limit`, {
    retryAfterMs: 10,
  });

/** Sending it would end the session, and with it everybody else's calls. */
const overMessage = (maxMessageBytes: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'RESULT_TOO_LARGE',
    `the call was done, but a row or reply of its answer is larger than a message may be, ${maxMessageBytes} bytes (HOLDFAST_MAX_MESSAGE_BYTES)`,
  );

const stalled = (stallMs: number): HoldfastError =>
  new HoldfastError('exhausted', 'SESSION_STALLED', `the client took no answer for ${stallMs} ms`);
