import { Client, connectivityState, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { connectionLost, type HoldfastError, sidecarUnavailable } from './errors.ts';
import type { CallOptions } from './options.ts';
import { errorFromCode, errorFromStatus } from './wire/status.ts';

const options = {
  // Results may be large, and the sidecar limits them.
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // The default window of 64 KiB would stop large results again and again.
  'grpc-node.flow_control_window': 1024 * 1024,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // Nothing is repeated without its caller's knowledge.
  'grpc.enable_retries': 0,
  // The sidecar is on this machine.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
};

/** The connection under all calls of one client, kept and made anew by grpc-js. Requests and answers are bytes. */
export class Channel {
  readonly client: Client;
  readonly #token: string | undefined;

  constructor(address: string, token: string | undefined) {
    this.client = new Client(address, credentials.createInsecure(), options);
    this.#token = token;
  }

  get isConnected(): boolean {
    return this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** For one call, which waits for a connection as long as its deadline allows. */
  metadata({ priority, traceparent }: CallOptions): Metadata {
    const metadata = new Metadata({ waitForReady: true });
    if (this.#token !== undefined) metadata.set('authorization', `Bearer ${this.#token}`);
    if (priority !== undefined) metadata.set('holdfast-priority', priority);
    if (traceparent !== undefined) metadata.set('traceparent', traceparent);
    return metadata;
  }
}

/** grpc-js takes bytes as they are. */
export const asIs = (bytes: Buffer): Buffer => bytes;

/** The error that ended a call: from its status details, else from its code. */
export function errorFromCall(error: ServiceError): HoldfastError {
  const details = statusDetails(error);
  return details === undefined
    ? errorFromCode(error.code, error.details)
    : errorFromStatus(details);
}

/** The same for a call that nobody here cancelled: without a word of the sidecar's own, its connection broke. */
export function errorUnderWay(error: ServiceError): HoldfastError {
  const failure = errorFromCall(error);
  // A connection that its server closes in order says which calls it never looked at; grpc-js has only words for that.
  if (/Stream refused by server|NGHTTP2_REFUSED_STREAM/.test(error.details)) {
    return sidecarUnavailable(failure);
  }
  const isLost = failure.code === 'CANCELLED' || failure.code === 'UNAVAILABLE';
  return isLost && !isSidecarsWord(error) ? connectionLost(failure) : failure;
}

/** Whether the sidecar itself ended the call, and not gRPC or the network. */
export const isSidecarsWord = (error: ServiceError): boolean => statusDetails(error) !== undefined;

function statusDetails({ metadata }: Partial<Pick<ServiceError, 'metadata'>>): Buffer | undefined {
  const details = metadata?.get('grpc-status-details-bin')[0];
  return details instanceof Buffer ? details : undefined;
}
