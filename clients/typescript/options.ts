import type { ResultFormat } from './wire/query-result.ts';

/** Who goes first when calls have to wait. */
export type Priority = 'high' | 'normal' | 'low';

/** What every call takes. */
export interface CallOptions {
  /** Gives up when it aborts: the call fails with reason `CANCELLED`, and the sidecar cancels the work. */
  readonly signal?: AbortSignal | undefined;
  /** Time for the whole call in ms, waiting included; above 0. Infinity leaves it to the sidecar's policy. The default is that of `connect`. */
  readonly deadlineMs?: number | undefined;
  readonly priority?: Priority | undefined;
  /** W3C trace context. */
  readonly traceparent?: string | undefined;
}

/** How the rows of a result are given. */
export interface RowOptions {
  /** `object` (the default): by column name. `array`: in the order of the columns. */
  readonly rowMode?: ResultFormat['rowMode'] | undefined;
}

export interface IdempotentOptions {
  /** The caller's word that running this twice does no harm, so that the sidecar may try again when an answer was lost. */
  readonly idempotent?: boolean | undefined;
}

export interface CommitIdOptions {
  /** Makes the outcome known for ever: see `Database.outcome`. 1 to 128 bytes, another one for each piece of work. */
  readonly commitId?: string | undefined;
}

export interface QueryOptions extends CallOptions, RowOptions, IdempotentOptions, CommitIdOptions {}

export interface BatchOptions extends QueryOptions {
  /** True: all or nothing, in one transaction. False, the default: each statement commits by itself, and one that fails stops none. */
  readonly atomic?: boolean | undefined;
}

export interface StreamOptions extends CallOptions, RowOptions {
  /** Most rows in one message, 1 to 10,000; the default is 1,000. */
  readonly maxRows?: number | undefined;
}

export interface BeginOptions extends CallOptions, CommitIdOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable' | undefined;
  readonly readOnly?: boolean | undefined;
  /** With `serializable` and `readOnly`: waits for a snapshot that cannot fail. */
  readonly deferrable?: boolean | undefined;
  /** Longest life of the transaction in ms; at most, and by default, what the pool allows. */
  readonly timeoutMs?: number | undefined;
  /** Longest pause between two statements in ms; at most, and by default, what the pool allows. */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Locks that were acquired with `fence` of this pool: it is rolled back as soon as one is lost, and cannot commit over a later holder (`FENCED`).
   */
  readonly locks?: readonly { readonly leaseId: string }[] | undefined;
}

/** Something that a transaction tells when it is committed, and only then. */
export interface OutboxEvent {
  /** 1 to 200 bytes. */
  readonly topic: string;
  /** Events of one topic and key come in the order of their transactions; at most 200 bytes. */
  readonly key?: string | undefined;
  /** At most 1 MiB; text is sent as UTF-8. */
  readonly payload?: Uint8Array | string | undefined;
}

export interface CommitOptions extends CallOptions {
  /** Written with the transaction: there if and only if it is committed. At most 1,000. */
  readonly events?: readonly OutboxEvent[] | undefined;
}
