import { HoldfastError } from '../../platform/errors.ts';

/** The network or the server ended it. */
export const lostConnection = (pool: string, cause?: unknown): HoldfastError =>
  new HoldfastError('unavailable', 'CONNECTION_LOST', 'the connection to the database was lost', {
    target: pool,
    ...(cause === undefined ? {} : { cause }),
  });

export const closedByPool = (pool: string): HoldfastError =>
  new HoldfastError('unavailable', 'CONNECTION_LOST', 'the connection was closed by its pool', {
    target: pool,
  });

/** Text of another encoding is no protobuf string: a stock client would give up the whole message, its neighbours' answers included. */
export const encodingFault = (nameAndValue: string): Error | undefined =>
  /^client_encoding\0(?!UTF8\0)/.test(nameAndValue)
    ? new Error('client_encoding was changed, and has to be UTF8')
    : undefined;
