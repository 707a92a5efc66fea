import { status as statusCodes, type StatusObject } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import type { Status__Output } from '../../platform/gen/google/rpc/Status.ts';
import { loadMessages } from '../../platform/grpc/contract.ts';

/** google.rpc.Status with its details decoded: what a caller can act on. */
export interface Failure {
  /** Name of the gRPC status: `INVALID_ARGUMENT`. */
  readonly status: string;
  readonly message: string;
  /** Of google.rpc.ErrorInfo; empty without one. */
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of google.rpc.RetryInfo. */
  readonly retryAfterMs: number | undefined;
}

const messages = loadMessages();
const statusType = messages.lookupType('google.rpc.Status');
const errorInfo = messages.lookupType('google.rpc.ErrorInfo');
const retryInfo = messages.lookupType('google.rpc.RetryInfo');
const prefix = 'type.googleapis.com/';

/** Decodes the status of a frame. */
export function failureOf({ code, message, details }: Status__Output): Failure {
  const detail = (type: protobuf.Type): Record<string, unknown> | undefined => {
    const found = details.find(({ type_url }) => type_url === prefix + type.fullName.slice(1));
    return found && type.toObject(type.decode(found.value), { defaults: true, longs: Number });
  };
  const info = detail(errorInfo) as Pick<Failure, 'reason' | 'domain' | 'metadata'> | undefined;
  const retry = detail(retryInfo) as { retryDelay: { seconds: number; nanos: number } } | undefined;
  return {
    status: statusCodes[code] ?? String(code),
    message,
    reason: info?.reason ?? '',
    domain: info?.domain ?? '',
    metadata: info?.metadata ?? {},
    retryAfterMs: retry && retry.retryDelay.seconds * 1_000 + retry.retryDelay.nanos / 1e6,
  };
}

/** Decodes what a call ended with: its details travel in a trailer. */
export function failureOfCall({ code, details, metadata }: StatusObject): Failure {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return failureOf({ code, message: details, details: [] });
  const decoded = statusType.toObject(statusType.decode(bytes), { arrays: true });
  return failureOf({ message: '', code: 0, details: [], ...decoded });
}

/** What a promise of a call is rejected with, decoded. */
export async function failing(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => {
      throw new Error('the call did not fail');
    },
    (error: StatusObject) => failureOfCall(error),
  );
}
