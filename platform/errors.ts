/** What went wrong, as far as policies and transports have to know. Drivers classify into these; nothing else looks at driver errors. */
export type ErrorKind =
  | 'invalid' // the request can never work
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'conflict' // another transaction or holder was in the way; the whole unit of work may be tried again
  | 'precondition' // the request does not fit the state of things
  | 'unavailable' // a server is not there just now
  | 'exhausted' // a limit is reached: more calls would feed the overload
  | 'deadline'
  | 'cancelled'
  | 'unknown-outcome' // it may have happened, or not
  | 'unimplemented'
  | 'internal';

/** The `reason` of google.rpc.ErrorInfo: what a caller can act on. docs/errors.md explains each one. */
export const reasons = [
  'INVALID_REQUEST',
  'UNKNOWN_POOL',
  'POLICY_PENDING',
  'SECRET_NOT_MOUNTED',
  'STATEMENT_REFUSED',
  'UNKNOWN_IDENTIFIER',
  'DATABASE_ERROR',
  'DATABASE_UNAVAILABLE',
  'SERIALIZATION_FAILURE',
  'DEADLOCK_DETECTED',
  'CONNECT_TIMEOUT',
  'CONNECTION_LOST',
  'POOL_EXHAUSTED',
  'CONNECTION_BUDGET',
  'BREAKER_OPEN',
  'CONCURRENCY_LIMIT',
  'RATE_LIMITED',
  'COST_BUDGET_EXCEEDED',
  'UNKNOWN_TARGET',
  'TARGET_TIMEOUT',
  'UNKNOWN_PERMIT',
  'UNKNOWN_RESERVATION',
  'UPSTREAM_UNAVAILABLE',
  'ANSWER_LOST',
  'STATEMENT_TIMEOUT',
  'RESULT_TOO_LARGE',
  'STATEMENT_STALE',
  'COMMIT_UNKNOWN',
  'COMMIT_ID_USED',
  'MIGRATION_REQUIRED',
  'TRANSACTION_ROLLED_BACK',
  'TRANSACTION_TIMEOUT',
  'IDLE_IN_TRANSACTION_TIMEOUT',
  'UNKNOWN_TRANSACTION',
  'TRANSACTION_ID_IN_USE',
  'LOCK_HELD',
  'LOCK_LOST',
  'FENCED',
  'LOCKS_SETTLING',
  'LOCK_UNSUPPORTED',
  'UNKNOWN_LEASE',
  'SUBSCRIBER_TAKEN',
  'REDIS_ERROR',
  'REDIS_UNAVAILABLE',
  'REDIS_OFF',
  'COMMAND_REFUSED',
  'COMMAND_TIMEOUT',
  'REPLY_LOST',
  'OPERATION_ID_REUSED',
  'SESSION_LIMIT',
  'SESSION_PROTOCOL',
  'SESSION_STALLED',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'DRAINING',
  'MEMORY_PRESSURE',
  'TOKEN_REQUIRED',
  'UNIMPLEMENTED',
  'INTERNAL',
] as const;

export type Reason = (typeof reasons)[number];

interface Details {
  readonly cause?: unknown;
  /** Name of the pool or target, as the policy has it. */
  readonly target?: string;
  /** When another try may succeed; becomes google.rpc.RetryInfo. */
  readonly retryAfterMs?: number;
  /** More for the caller: `sqlstate`, `constraint`, `queue_length`. Never values of the request. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What the sidecar throws on purpose. The message may reach the caller; the cause is only logged. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly kind: ErrorKind;
  readonly reason: Reason;
  readonly target: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;

  constructor(kind: ErrorKind, reason: Reason, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.reason = reason;
    this.target = details.target;
    this.retryAfterMs = details.retryAfterMs;
    this.metadata = details.metadata ?? {};
  }

  /** Anything thrown becomes a HoldfastError; strangers become 'internal' with their text kept out of the message. */
  static from(thrown: unknown): HoldfastError {
    if (thrown instanceof HoldfastError) return thrown;
    return new HoldfastError('internal', 'INTERNAL', 'internal error', { cause: thrown });
  }
}
