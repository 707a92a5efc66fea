import type { ServiceError } from '@grpc/grpc-js';
import { asIs, type Channel, errorFromCall } from '../channel.ts';
import type { HoldfastError } from '../errors.ts';
import type { OpenStream } from './session-keeper.ts';

const path = '/holdfast.v1.Session/Open';

/** Opens sessions on a channel. */
export const sessionsOn =
  (channel: Channel): OpenStream =>
  ({ onMessage, onDrain, onEnd }) => {
    const stream = channel.client.makeBidiStreamRequest(path, asIs, asIs, channel.metadata({}));
    let error: HoldfastError | undefined;
    stream.on('data', onMessage);
    stream.on('drain', onDrain);
    stream.on('error', (cause: ServiceError) => {
      error = errorFromCall(cause);
    });
    // Comes after 'error', once, whatever the end.
    stream.on('status', () => onEnd(error));
    return {
      write: (message) => stream.write(message),
      end: () => void stream.end(),
      cancel: () => stream.cancel(),
    };
  };
