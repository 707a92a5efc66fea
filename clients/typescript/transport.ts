import type { HoldfastError } from './errors.ts';
import type { BeginOptions, CallOptions, CommitOptions } from './options.ts';
import type { Loss } from './wire/lock-messages.ts';
import type { Operation } from './wire/operations.ts';

/** Runs one call; how it travels is the transport's affair. */
export type Run = <Request, Reply>(
  operation: Operation<Request, Reply>,
  request: Request,
  options: CallOptions,
) => Promise<Reply>;

/** One transaction on its way through a transport. Calls run in the order in which they are made. */
export interface TransactionChannel {
  /** Resolves when the sidecar has the transaction's connection. */
  readonly begun: Promise<void>;
  /** Nothing can be sent any more. */
  readonly isOver: boolean;
  readonly call: Run;
  /** Ends the transaction; the answer is final, except for reason `COMMIT_UNKNOWN`. */
  commit(options: CommitOptions): Promise<void>;
  /** Ends the transaction; does nothing when it is over. */
  rollback(options: CallOptions): Promise<void>;
}

/** A way to the sidecar: a session, or a call of its own for each request. */
export interface Transport {
  readonly call: Run;
  begin(pool: string, options: BeginOptions): TransactionChannel;
  /** Calls back once if the lock of this lease is lost, or what it belongs to ends. Absent: leases belong to nothing but themselves here. */
  watchLoss?(leaseId: string, listener: (loss: Loss) => void): () => void;
  /** Waits at most `graceMs` for calls under way; what is not sent yet fails with `CLIENT_CLOSED`. */
  close(graceMs: number): Promise<void>;
}

/** For errors that only tell what is known anyway. */
export type Reject = (error: HoldfastError) => void;
