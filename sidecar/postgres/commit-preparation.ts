import { HoldfastError } from '../../platform/errors.ts';
import { type BeginOptions, hasOpening } from './begin-statement.ts';
import type { Connection } from './connection.ts';
import type { Step } from './exchange.ts';
import { appendError, appendEvents, checkEvents, type OutboxEvent } from './outbox.ts';
import type { TransactionIdentifier } from './transaction-identifier.ts';

interface Preparing {
  readonly pool: string;
  readonly options: BeginOptions;
  readonly begun: boolean;
  readonly identifier: TransactionIdentifier;
  readonly connection: Connection;
  readonly run: (steps: readonly Step[]) => Promise<unknown>;
}

/**
 * What has to be done before COMMIT is sent: the mark and the fences of a transaction that nothing was asked of, and its events where they are its first write,
 * because without the id that they give it nobody could tell what became of the commit. Returns what travels with COMMIT.
 */
export async function prepareCommit(
  { pool, options, begun, identifier, connection, run }: Preparing,
  events: readonly OutboxEvent[],
): Promise<Step | undefined> {
  if (events.length === 0) {
    if (!begun && hasOpening(options)) await run([]);
    return undefined;
  }
  checkEvents(events);
  if (options.readOnly) {
    throw new HoldfastError('invalid', 'INVALID_REQUEST', 'a READ ONLY transaction has no events');
  }
  const append = appendEvents(events);
  const isUnknown = identifier.question([append], connection) !== undefined;
  if (begun && (options.commitId !== undefined || !isUnknown)) return append;
  await run([append]).catch((error: unknown) => {
    throw appendError(HoldfastError.from(error), pool);
  });
  return undefined;
}
