import { HoldfastError } from '../../platform/errors.ts';

/** The server rolled it back when the connection went. What was cut on purpose says so. */
export const connectionLost = (pool: string, cause?: unknown): HoldfastError =>
  cause instanceof HoldfastError && cause.reason === 'CONNECTION_BUDGET'
    ? cause
    : new HoldfastError(
        'conflict',
        'TRANSACTION_ROLLED_BACK',
        'the connection to the database was lost, and the transaction with it',
        { target: pool, cause },
      );

/** Why a transaction takes no more statements. */
export const ended = (
  pool: string,
  reason:
    | 'TRANSACTION_TIMEOUT'
    | 'IDLE_IN_TRANSACTION_TIMEOUT'
    | 'TRANSACTION_ROLLED_BACK'
    | 'UNKNOWN_TRANSACTION',
  message: string,
): HoldfastError =>
  new HoldfastError(reason === 'UNKNOWN_TRANSACTION' ? 'not-found' : 'conflict', reason, message, {
    target: pool,
  });
