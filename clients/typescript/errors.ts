/** Names of the gRPC status codes, by number. */
export const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type StatusName = (typeof statusNames)[number];

/** Reasons that only the client itself gives; all others come from the sidecar, see docs/errors.md. */
export type ClientReason =
  /** The connection to the sidecar broke while the call was under way: it may have run, or not. */
  | 'SIDECAR_LOST'
  /** The same for a Commit: nobody here knows whether the transaction is committed. */
  | 'COMMIT_UNKNOWN'
  /** No connection to the sidecar came about within the deadline, or a sidecar that stops did not take the call any more: nothing ran. */
  | 'SIDECAR_UNAVAILABLE'
  /** `close` was called; the call was not sent, or not answered in time. */
  | 'CLIENT_CLOSED'
  /** The transaction has ended already; the call was not sent. */
  | 'UNKNOWN_TRANSACTION'
  /** The answer came and could not be decoded: a decoder of `types` threw, or the sidecar is at fault. */
  | 'DECODE_FAILED';

interface ErrorDetails {
  readonly cause?: unknown;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number | undefined;
}

/** Everything that a call can fail with. `reason` is what to branch on. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  /** Name of the gRPC status. */
  readonly code: StatusName;
  /** Of google.rpc.ErrorInfo, or one of ClientReason. */
  readonly reason: string;
  /** Of google.rpc.ErrorInfo: `constraint`, `queue_length` … */
  readonly metadata: Readonly<Record<string, string>>;
  /** When another try may succeed. */
  readonly retryAfterMs: number | undefined;

  constructor(code: StatusName, reason: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.metadata = details.metadata ?? {};
    this.retryAfterMs = details.retryAfterMs;
  }

  /** PostgreSQL's five characters, when the database raised the error. */
  get sqlstate(): string | undefined {
    return this.metadata['sqlstate'];
  }

  /** The pool or target that the error is about, as the policy names it. */
  get target(): string | undefined {
    return this.metadata['target'];
  }

  /** A request that this client refuses by itself. */
  static invalid(message: string): HoldfastError {
    return new HoldfastError('INVALID_ARGUMENT', 'INVALID_REQUEST', message);
  }
}

export const cancelledBy = (signal: AbortSignal): HoldfastError =>
  new HoldfastError('CANCELLED', 'CANCELLED', 'the call was cancelled by its caller', {
    cause: signal.reason,
  });

export const deadlineExceeded = (): HoldfastError =>
  new HoldfastError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', "the call's deadline passed");

export const clientClosed = (): HoldfastError =>
  new HoldfastError('CANCELLED', 'CLIENT_CLOSED', 'the client is closed');

export const connectionLost = (cause: unknown): HoldfastError =>
  new HoldfastError(
    'UNAVAILABLE',
    'SIDECAR_LOST',
    'the connection to the sidecar broke while the call was under way: it may have run, or not',
    { cause },
  );

export const commitUnknown = (cause: unknown): HoldfastError =>
  new HoldfastError(
    'UNKNOWN',
    'COMMIT_UNKNOWN',
    'the commit was sent and its answer never came: the transaction may be committed, or not',
    { cause },
  );

export const sidecarUnavailable = (cause: unknown): HoldfastError =>
  new HoldfastError(
    'UNAVAILABLE',
    'SIDECAR_UNAVAILABLE',
    'no sidecar took the call: no connection came about before the deadline, or it was being closed; nothing ran',
    cause === undefined ? {} : { cause },
  );

export const transactionOver = (): HoldfastError =>
  new HoldfastError(
    'FAILED_PRECONDITION',
    'UNKNOWN_TRANSACTION',
    'the transaction has ended already; the call was not sent',
  );

export const undecodable = (cause: unknown): HoldfastError =>
  new HoldfastError('INTERNAL', 'DECODE_FAILED', 'the answer could not be decoded', { cause });
