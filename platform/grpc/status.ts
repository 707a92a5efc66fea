import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import type { ErrorKind, HoldfastError } from '../errors.ts';

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const codeOf = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  'already-exists': status.ALREADY_EXISTS,
  conflict: status.ABORTED,
  precondition: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  exhausted: status.RESOURCE_EXHAUSTED,
  deadline: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  'unknown-outcome': status.UNKNOWN,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
} satisfies Record<ErrorKind, status>;

export const statusCode = (kind: ErrorKind): status => codeOf[kind];

/** The canonical name of a kind's status, for metrics: `UNAVAILABLE`. */
export const statusName = (kind: ErrorKind): string => status[codeOf[kind]];

const domain = 'holdfast.dev';
/** Twice in a trailer, percent-encoded and in base64, this still fits into the 8 KiB of headers that stock clients take. */
const mostMessageBytes = 1_024;
const mostValueBytes = 256;

/** Turns errors into google.rpc.Status with its details, as messages and as what a unary call ends with. Shared by all calls. */
export class StatusEncoder {
  readonly #status: protobuf.Type;
  readonly #errorInfo: protobuf.Type;
  readonly #retryInfo: protobuf.Type;

  constructor(messages: protobuf.Root) {
    this.#status = messages.lookupType('google.rpc.Status');
    this.#errorInfo = messages.lookupType('google.rpc.ErrorInfo');
    this.#retryInfo = messages.lookupType('google.rpc.RetryInfo');
  }

  /** google.rpc.Status as an object, for responses that carry one. */
  message({ kind, reason, target, retryAfterMs, metadata, message }: HoldfastError): object {
    const told = target === undefined ? metadata : { target, ...metadata };
    const info = {
      reason,
      domain,
      metadata: Object.fromEntries(
        Object.entries(told).map(([name, value]) => [name, shortened(value, mostValueBytes)]),
      ),
    };
    const details = [
      { type_url: typeUrl(this.#errorInfo), value: this.#errorInfo.encode(info).finish() },
    ];
    if (retryAfterMs !== undefined) {
      const wholeMs = Math.ceil(retryAfterMs);
      const retryDelay = {
        seconds: Math.floor(wholeMs / 1_000),
        nanos: (wholeMs % 1_000) * 1_000_000,
      };
      details.push({
        type_url: typeUrl(this.#retryInfo),
        value: this.#retryInfo.encode({ retryDelay }).finish(),
      });
    }
    return { code: codeOf[kind], message: shortened(message, mostMessageBytes), details };
  }

  encode(error: HoldfastError): Uint8Array {
    return this.#status.encode(this.message(error)).finish();
  }

  /** For a call that ends with the error: the details travel in a trailer. */
  trailer(error: HoldfastError): StatusObject {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(this.encode(error)));
    return {
      code: codeOf[error.kind],
      details: shortened(error.message, mostMessageBytes),
      metadata,
    };
  }
}

/** Texts of the database can be of any length: RAISE takes a megabyte. */
function shortened(text: string, mostBytes: number): string {
  if (Buffer.byteLength(text) <= mostBytes) return text;
  const start = Buffer.from(text.slice(0, mostBytes)).toString('utf8', 0, mostBytes);
  return `${start.replace(/\ufffd+$/, '')}…`;
}

const typeUrl = (type: protobuf.Type): string => `type.googleapis.com/${type.fullName.slice(1)}`;
