import { HoldfastError } from '../../platform/errors.ts';
import type { Connection } from './connection.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Step } from './exchange.ts';

const begin = controlStatement('BEGIN');
const commit = controlStatement('COMMIT');
const noStatementTimeout = controlStatement('SET LOCAL statement_timeout = 0');

/** A query whose rows are handed on as they are read, in a transaction of its own. Used once. */
export interface RowStream {
  readonly exchange: Exchange;
  /** Resolves when all parts are handed on; rejects with what the consumer failed with. */
  readonly handedOn: () => Promise<void>;
}

interface Consumer {
  /** Most rows of one part. */
  readonly maxRows: number;
  readonly onPart: (part: Buffer) => Promise<void>;
  /** Called with each part; rejects when it is not taken in time. The consumer holds a connection and a snapshot. */
  readonly inTime: (taken: Promise<void>) => Promise<void>;
}

/** While `onPart` has not resolved, the server is not read from, and so stops sending; its statement timeout does not run. */
export function rowStream(
  connection: Connection,
  { profile, params }: Step,
  { maxRows, onPart, inTime }: Consumer,
): RowStream {
  let sending: Promise<void> = Promise.resolve();
  let unsent = 0;
  let refused: HoldfastError | undefined;
  const take = (part: Buffer): void => {
    connection.pause(exchange);
    unsent += 1;
    sending = sending
      // What was read before it was refused goes nowhere.
      .then(() => (refused === undefined ? inTime(onPart(part)) : undefined))
      .then(
        () => {
          unsent -= 1;
          if (unsent === 0) connection.resume(exchange);
        },
        (error: unknown) => {
          refused ??= HoldfastError.from(error);
          connection.cancel(exchange);
          connection.resume(exchange);
        },
      );
  };
  const query: Step = { profile, params, stream: { maxRows, onPart: take } };
  const exchange = new Exchange([begin, noStatementTimeout, query, commit], Infinity);
  return {
    exchange,
    handedOn: async () => {
      await sending;
      if (refused !== undefined) throw refused;
    },
  };
}
