import { HoldfastError, type StatusName, statusNames } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';
import { decodeMessage } from './contract.ts';

/** google.rpc.Status as `decodeMessage` gives it. */
export interface Status {
  readonly code: number;
  readonly message: string;
  readonly details: readonly { readonly type_url: string; readonly value: Uint8Array }[];
}

/** What a status without ErrorInfo means: it comes from gRPC itself, on this side or on the way. */
const reasonOf: Partial<Record<StatusName, string>> = {
  CANCELLED: 'CANCELLED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  UNAVAILABLE: 'SIDECAR_LOST',
  RESOURCE_EXHAUSTED: 'RESULT_TOO_LARGE',
};

export const statusName = (code: number): StatusName => statusNames[code] ?? 'UNKNOWN';

/** Reads a google.rpc.Status that ends at `end` and makes it the error that it stands for. */
export function readStatus(reader: ByteReader, end: number): HoldfastError {
  const bytes = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return errorFromStatus(bytes);
}

export const errorFromStatus = (bytes: Uint8Array): HoldfastError =>
  toError(decodeMessage('google.rpc.Status', bytes) as unknown as Status);

/** The error that a status stands for. */
export function toError(status: Status): HoldfastError {
  const code = statusName(status.code);
  let reason: string | undefined;
  let metadata: Record<string, string> = {};
  let retryAfterMs: number | undefined;
  for (const { type_url: typeUrl, value } of status.details) {
    if (typeUrl.endsWith('/google.rpc.ErrorInfo')) {
      const info = decodeMessage('google.rpc.ErrorInfo', value);
      reason = info['reason'] as string;
      metadata = info['metadata'] as Record<string, string>;
    } else if (typeUrl.endsWith('/google.rpc.RetryInfo')) {
      const { retryDelay } = decodeMessage('google.rpc.RetryInfo', value) as {
        retryDelay: { seconds: number; nanos: number } | null;
      };
      if (retryDelay !== null) retryAfterMs = retryDelay.seconds * 1000 + retryDelay.nanos / 1e6;
    }
  }
  return new HoldfastError(code, reason ?? reasonOf[code] ?? code, status.message, {
    metadata,
    retryAfterMs,
  });
}

/** The same for a call that failed with a gRPC status without details. */
export const errorFromCode = (number: number, message: string): HoldfastError => {
  const code = statusName(number);
  return new HoldfastError(code, reasonOf[code] ?? code, message);
};
