import type { HoldfastError } from '../../platform/errors.ts';
import type { Parameter } from './frontend-messages.ts';
import { type ServerErrorFields } from './sqlstate.ts';
import type { StatementProfile } from './statement-profile.ts';

/** What the server says of the session between two exchanges: idle, in a transaction, in a failed one. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** One statement as a caller gives it. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly Parameter[];
}

export interface Step {
  readonly profile: StatementProfile;
  readonly params: readonly Parameter[];
  /** The sidecar's, not a caller's. */
  readonly own?: true;
  /** Takes the rows as they arrive, in parts of at most `maxRows`, instead of having them kept for the result. */
  readonly stream?: { readonly maxRows: number; readonly onPart: (part: Buffer) => void };
}

/** Rows of one statement as protobuf bytes of QueryResult; several parts when they are large. */
export interface StatementResult {
  readonly parts: readonly Buffer[];
  readonly rows: number;
  readonly command: string;
}

export interface ExchangeFailure {
  /** The server's own words, when it said any. */
  readonly fields: ServerErrorFields | undefined;
  /** The sidecar's words, when the server said nothing or something unfit for callers. */
  readonly error: HoldfastError | undefined;
  /** The connection broke before the server said that the exchange was over: its effect is not known. */
  readonly lost: boolean;
  /** The server had begun to run the statement that failed, which may have done something by then, and even committed it. */
  readonly began: boolean;
}

/**
 * Everything sent up to one Sync, and its answer. The server runs the steps in order and skips the rest after the first error.
 * Belongs to one connection; used once.
 */
export class Exchange {
  readonly steps: readonly Step[];
  /** For all its results together; more fails it. */
  maxResultBytes: number;
  readonly results: StatementResult[] = [];
  failure: ExchangeFailure | undefined;
  status: TransactionStatus = 'I';
  /** Somebody asked to have it cancelled on the server. */
  cancelRequested = false;
  /** Its bytes are on their way: without that nothing of it can have run. */
  sent = false;
  /** When the server can have begun with it. */
  startedAtMs = 0;
  tookMs = 0;
  /** Settles when the server is done with it, or is gone. Never rejects: `failure` tells. */
  readonly done: Promise<void>;
  #resolveDone!: () => void;

  constructor(steps: readonly Step[], maxResultBytes: number) {
    this.steps = steps;
    this.maxResultBytes = maxResultBytes;
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
  }

  /** Bytes of its results, as far as it has any. */
  get resultBytes(): number {
    let bytes = 0;
    for (const { parts } of this.results) for (const part of parts) bytes += part.length;
    return bytes;
  }

  /** The first failure stands; what follows from it is noise. */
  fail(failure: Partial<ExchangeFailure>): void {
    this.failure = {
      fields: this.failure?.fields ?? failure.fields,
      error: this.failure?.error ?? failure.error,
      lost: failure.lost ?? this.failure?.lost ?? false,
      began: this.failure?.began ?? failure.began ?? false,
    };
  }

  finish(status: TransactionStatus): void {
    this.status = status;
    this.#resolveDone();
  }
}
