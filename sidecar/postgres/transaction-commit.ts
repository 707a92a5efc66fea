import type { Call } from '../../platform/call.ts';
import type { Connection } from './connection.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Step } from './exchange.ts';
import {
  commitTooSlow,
  commitUnknown,
  exchangeError,
  isStale,
  neverEnds,
  rolledBack,
} from './exchange-error.ts';
import { appendError } from './outbox.ts';
import type { TransactionIdentity } from './server-identity.ts';
import { connectionLost } from './transaction-errors.ts';
import type { TransactionHost } from './transaction-host.ts';

interface Ending {
  readonly host: TransactionHost;
  readonly commitId: string | undefined;
  /** As far as the server told it. */
  readonly identity: TransactionIdentity | undefined;
  /** Something failed in it that is not undone: it is rolled back. */
  readonly failed: boolean;
  /** Without an answer it is known all the same that nothing took effect. A mark is something, too. */
  readonly nothingToCommit: boolean;
  /** Adds its events, in the same exchange. */
  readonly append: Step | undefined;
  readonly call: Call;
  /** The connection is free again, or gone. */
  readonly onAnswered: () => void;
}

const commitStatement = controlStatement('COMMIT');
const rollbackStatement = controlStatement('ROLLBACK');
const rollbackTimeoutMs = 5_000;

/** Commits a transaction, or rolls it back where something failed. Resolves when it is committed for sure; where the answer is lost the server is asked. */
export async function endTransaction(connection: Connection, ending: Ending): Promise<void> {
  const { host, commitId, identity, failed, nothingToCommit, append, call, onAnswered } = ending;
  const before = append === undefined || failed ? [] : [append];
  const exchange = new Exchange(
    [...before, failed ? rollbackStatement : commitStatement],
    host.maxResultBytes,
  );
  connection.submit(exchange);
  await exchange.done;
  const { failure, results } = exchange;
  const hadCommit = results.length >= before.length;
  if (failure?.lost === false && !hadCommit) {
    // Its events could not be added: the server has skipped COMMIT.
    if (isStale(exchange)) before.forEach(({ profile }) => connection.forgetStatement(profile.sql));
    await rollBack(connection, host);
  }
  onAnswered();
  host.observe(exchange);
  if (failure === undefined && results.at(-1)?.command === 'COMMIT') return;
  if (failure === undefined) throw rolledBack(host.name);
  if (!failure.lost) {
    const error = exchangeError(exchange, neverEnds, { pool: host.name, writes: true });
    throw hadCommit ? error : appendError(error, host.name);
  }
  const hasMark = commitId !== undefined && !failed;
  const tookNoEffect = !exchange.sent || (nothingToCommit && !hasMark);
  if (tookNoEffect) throw connectionLost(host.name, failure.error);
  const outcome = await host.outcome(commitId ?? identity, call.deadlineAtMs);
  if (outcome === 'committed') return;
  throw outcome === 'unknown'
    ? commitUnknown(host.name, failure.error)
    : connectionLost(host.name, failure.error);
}

/** At the deadline the caller is told that nobody knows; the commit goes on. */
export const untilDeadline = (committed: Promise<void>, call: Call, pool: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const unlisten = call.onEnd((reason) => {
      if (reason.kind === 'deadline') reject(commitTooSlow(pool, reason));
    });
    committed.then(resolve, reject).finally(unlisten);
  });

/** Rolls a transaction back, or cuts a connection that does not answer. */
export async function rollBack(
  connection: Connection,
  { name, clock }: TransactionHost,
): Promise<void> {
  const exchange = new Exchange([rollbackStatement], 0);
  connection.submit(exchange);
  const stop = clock.after(rollbackTimeoutMs, () =>
    connection.destroy(connectionLost(name, new Error('no answer to ROLLBACK'))),
  );
  await exchange.done;
  stop();
}
