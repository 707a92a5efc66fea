import type { Call } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';

/**
 * One ability of the sidecar. Every one stands in one table (app.ts), and whatever is around a call, on every transport, is written once
 * around this table: deadline, cancellation, metrics, errors.
 */
export interface Operation<Request, Response> {
  /** Service and method as in the proto: `Database.Query`. */
  readonly name: `${string}.${string}`;
  /** Its field in ClientFrame and ServerFrame; absent when it has no place in a session. */
  readonly frame?: string;
  /** What it acts on, as the policy names it: label of its metrics, key of its policies. Never free text of a request. */
  readonly target: (request: Request, call: Call) => string;
  /** Frees what others wait for (Commit, Rollback …): never refused for a session's limits. */
  readonly exempt?: boolean;
  /** Starts the transaction that its frame names: until then it belongs to none. */
  readonly begins?: boolean;
  /** Cannot be cancelled by its caller: what it does has to have one outcome. */
  readonly uncancellable?: boolean;
  readonly handle: (request: Request, call: Call) => Promise<Response>;
  /** Told of a frame of a transaction that was refused before it was run: what follows it there must not go on as if it had been. */
  readonly refused?: (call: Call) => void;
}

/** One ability that answers with a stream. `send` resolves when the caller has room for more. */
export interface StreamOperation<Request, Response> {
  readonly name: `${string}.${string}`;
  readonly target: (request: Request, call: Call) => string;
  readonly handle: (
    request: Request,
    call: Call,
    send: (part: Response) => Promise<void>,
  ) => Promise<void>;
}

/** One ability that is a conversation: each message gets one answer, in order, and the end of the stream ends the scope of its calls. */
export interface ConversationOperation<Request, Response> {
  readonly name: `${string}.${string}`;
  readonly target: (request: Request, call: Call) => string;
  /** Answers one message; messages come one at a time. */
  readonly handle: (request: Request, call: Call) => Promise<Response>;
  /** What the caller gets instead of an answer when `handle` failed; undefined when the failure ends the conversation. */
  readonly answerError: (error: HoldfastError, call: Call) => Response | undefined;
}

// Tables hold operations of many types; each row is checked where it is written.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyOperation = Operation<any, any>;
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyStreamOperation = StreamOperation<any, any>;
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyConversationOperation = ConversationOperation<any, any>;

/** Everything the sidecar can do. */
export interface OperationTable {
  readonly unary: readonly AnyOperation[];
  readonly streams: readonly AnyStreamOperation[];
  readonly conversations: readonly AnyConversationOperation[];
}
