/** What the API server, or the way to it, refused. Callers look at `status` and `reason`; the message is for people. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number;
  /** As the API server says it: `Conflict`, `NotFound`, `Forbidden`, `Expired`; empty when it says none. */
  readonly reason: string;
  /** When it asks to be tried again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    reason: string,
    message: string,
    details: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = details.retryAfterMs;
  }
}

const hasStatus = (thrown: unknown, status: number): boolean =>
  thrown instanceof KubeError && thrown.status === status;

/** Somebody else wrote, or created, the object first. */
export const isConflict = (thrown: unknown): boolean => hasStatus(thrown, 409);

export const isNotFound = (thrown: unknown): boolean => hasStatus(thrown, 404);

/** What was asked for lies too far back: it has to be listed anew. */
export const isExpired = (thrown: unknown): boolean => hasStatus(thrown, 410);

/** It understood what was asked for, and it cannot be: the test of a patch does not hold, for one. */
export const isInvalid = (thrown: unknown): boolean => hasStatus(thrown, 422);
