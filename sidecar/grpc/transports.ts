import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerDuplexStream,
} from '@grpc/grpc-js';
import {
  Call,
  cancelled,
  deadlineExceeded,
  type Priority,
  type Scope,
} from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { StatusEncoder } from '../../platform/grpc/status.ts';
import { OpenScope } from './open-scope.ts';
import type { AnyConversationOperation, AnyOperation, AnyStreamOperation } from './operation.ts';
import type { RequestPath } from './request-path.ts';

interface TransportParts {
  readonly path: RequestPath;
  readonly statuses: StatusEncoder;
  readonly clock: Clock;
}

/** What all of grpc-js's calls have. */
interface GrpcCall {
  readonly metadata: Metadata;
  getDeadline(): Date | number;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** A stock unary call. */
export function unaryHandler(
  operation: AnyOperation,
  { path, statuses, clock }: TransportParts,
): handleUnaryCall<unknown, unknown> {
  return (grpcCall, callback) => {
    const scope = new OpenScope(undefined, path.room);
    const call = callOf(grpcCall, scope, clock);
    onCancelled(grpcCall, clock, (reason) => call.end(reason));
    path
      .perform(operation, grpcCall.request, call, () => operation.handle(grpcCall.request, call))
      .then(
        (response: unknown) => callback(null, response),
        (error: HoldfastError) => callback(statuses.trailer(error)),
      )
      .finally(() => scope.close());
  };
}

/** A stock server-streaming call: sends no faster than the caller reads. */
export function streamHandler(
  operation: AnyStreamOperation,
  { path, statuses, clock }: TransportParts,
): handleServerStreamingCall<unknown, unknown> {
  return (grpcCall) => {
    const scope = new OpenScope(undefined, path.room);
    const call = callOf(grpcCall, scope, clock);
    onCancelled(grpcCall, clock, (reason) => call.end(reason));
    const send = async (part: unknown): Promise<void> => {
      call.throwIfEnded();
      if (grpcCall.write(part)) return;
      await new Promise<void>((resolve, reject) => {
        const unlisten = call.onEnd(reject);
        grpcCall.once('drain', () => {
          unlisten();
          resolve();
        });
      });
    };
    path
      .perform(operation, grpcCall.request, call, () =>
        operation.handle(grpcCall.request, call, send),
      )
      .then(
        () => grpcCall.end(),
        (error: HoldfastError) => grpcCall.emit('error', statuses.trailer(error)),
      )
      .finally(() => scope.close());
  };
}

/** A stock bidirectional call: one answer for each message, in order; the next message is read when the client has taken the last answer. */
export function conversationHandler(
  operation: AnyConversationOperation,
  { path, statuses, clock }: TransportParts,
): handleBidiStreamingCall<unknown, unknown> {
  const ongoing = { ...operation, exempt: true };
  return (grpcCall: ServerDuplexStream<unknown, unknown>) => {
    const scope = new OpenScope(undefined, path.room);
    let current: Call | undefined;
    /** What has begun may come to its end while the sidecar drains. */
    let admitted = operation;
    let answered: Promise<void> = Promise.resolve();
    const close = (reason = cancelled()): void => {
      current?.end(reason);
      scope.close();
    };
    const answer = async (request: unknown): Promise<void> => {
      const call = callOf(grpcCall, scope, clock);
      current = call;
      const response: unknown = await path
        .perform(admitted, request, call, () => operation.handle(request, call))
        .catch((error: HoldfastError) => {
          const answered: unknown = operation.answerError(error, call);
          if (answered === undefined) throw error;
          return answered;
        });
      admitted = ongoing;
      // Taken, not only sent: answers that nobody reads would pile up.
      await new Promise<void>((resolve) => {
        call.onEnd(() => resolve());
        grpcCall.write(response, () => resolve());
      });
      grpcCall.resume();
    };
    const fail = (error: HoldfastError): void => {
      close();
      grpcCall.emit('error', statuses.trailer(error));
    };
    onCancelled(grpcCall, clock, close);
    grpcCall.on('error', () => close());
    grpcCall.on('data', (request: unknown) => {
      grpcCall.pause();
      answered = answer(request);
      answered.catch(fail);
    });
    grpcCall.on('end', () => {
      answered.then(
        () => {
          close();
          grpcCall.end();
        },
        () => {},
      );
    });
  };
}

function callOf(grpcCall: GrpcCall, scope: Scope, clock: Clock): Call {
  return new Call({
    scope,
    deadlineAtMs: deadlineOf(grpcCall, clock),
    traceparent: grpcCall.metadata.get('traceparent')[0]?.toString() ?? '',
    priority: priorityOf(grpcCall.metadata),
  });
}

/** On the monotonic clock; Infinity for none. */
function deadlineOf(grpcCall: GrpcCall, clock: Clock): number {
  const deadline = grpcCall.getDeadline();
  const atMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  return Number.isFinite(atMs) ? clock.now() + atMs - clock.wallNow() : Infinity;
}

/** grpc-js says 'cancelled' for a deadline that passed, too. */
function onCancelled(grpcCall: GrpcCall, clock: Clock, end: (reason: HoldfastError) => void): void {
  const deadlineAtMs = deadlineOf(grpcCall, clock);
  grpcCall.on('cancelled', () =>
    end(clock.now() >= deadlineAtMs - 1 ? deadlineExceeded() : cancelled()),
  );
}

function priorityOf(metadata: Metadata): Priority {
  const named = metadata.get('holdfast-priority')[0];
  return named === 'high' || named === 'low' ? named : 'normal';
}
