import type { Call } from '../../platform/call.ts';

/**
 * One ability of the sidecar. Every one stands in one table (app.ts), and whatever is around a call, on every transport, is written once
 * around this table: deadline, cancellation, metrics, errors.
 */
export interface Operation<Request, Response> {
  /** Service and method as in the proto: `Database.Query`. */
  readonly name: `${string}.${string}`;
  /** Its field in ClientFrame and ServerFrame; absent when it has no place in a session. */
  readonly frame?: string;
  /** In a session only: the proto has no unary method of this name. */
  readonly sessionOnly?: boolean;
  /** What it acts on, as the policy names it: label of its metrics, key of its policies. Never free text of a request. */
  readonly target: (request: Request) => string;
  /** Frees what others wait for (Commit, Rollback …): never refused for a session's limits. */
  readonly exempt?: boolean;
  readonly handle: (request: Request, call: Call) => Promise<Response>;
}

/** One server-streaming ability. `send` resolves when the caller has room for more. */
export interface StreamOperation<Request, Response> {
  readonly name: `${string}.${string}`;
  readonly target: (request: Request) => string;
  readonly handle: (request: Request, call: Call, send: (part: Response) => Promise<void>) => Promise<void>;
}

// Tables hold operations of many types; each row is checked where it is written.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyOperation = Operation<any, any>;
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyStreamOperation = StreamOperation<any, any>;
