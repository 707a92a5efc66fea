import { timingSafeEqual } from 'node:crypto';
import {
  ServerInterceptingCall,
  ServerListenerBuilder,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { HoldfastError } from '../../platform/errors.ts';
import type { StatusEncoder } from '../../platform/grpc/status.ts';

const healthService = '/grpc.health.v1.Health/';

/** Refuses calls without `authorization: Bearer <token>`. Health checks need none: kubelets and load balancers have none to give. */
export function requireToken(token: string, statuses: StatusEncoder): ServerInterceptor {
  const expected = Buffer.from(`Bearer ${token}`);
  const accepts = (given: unknown): boolean => {
    const bytes = Buffer.from(typeof given === 'string' ? given : '');
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  };
  return ({ path }, call) => {
    if (path.startsWith(healthService)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next(
          new ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, nextMetadata) => {
              if (accepts(metadata.get('authorization')[0])) nextMetadata(metadata);
              else call.sendStatus(statuses.trailer(tokenRequired()));
            })
            .build(),
        );
      },
    });
  };
}

const tokenRequired = (): HoldfastError =>
  new HoldfastError(
    'unauthenticated',
    'TOKEN_REQUIRED',
    'calls over TCP need the metadata `authorization: Bearer <token>`; the token is in the file HOLDFAST_TOKEN_FILE',
  );
