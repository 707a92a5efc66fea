import type { Call, Scope } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { TransactionRequest__Output } from '../../../platform/gen/holdfast/v1/TransactionRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import { lengthDelimited } from '../../../platform/protobuf-wire.ts';
import type { ConversationOperation } from '../../grpc/operation.ts';
import type { Transaction } from '../../postgres/transaction.ts';
import { beginOptions } from './begin.ts';
import { noCommitId } from './commit-id.ts';
import { batchStatements, fetchSql, savepointSql } from './checks.ts';
import { endWithLocks, fencesOf, type LockGrants } from './lock-grants.ts';
import type { NamedDatabases } from '../../postgres/databases.ts';
import { batchResult, queryResult } from './results.ts';
import { checkPool } from './session-transactions.ts';
import { invalid, statementOf } from './statement-values.ts';

/** Field numbers of TransactionResponse. */
const response = {
  begun: 1,
  query: 2,
  batch: 3,
  savepoint: 4,
  fetch: 5,
  committed: 6,
  rolledBack: 7,
  error: 15,
} as const;
const done = Buffer.alloc(0);

/** Database.Transaction: one transaction as a stream of its own, for stock clients. */
export function conversation(
  databases: NamedDatabases,
  statuses: StatusEncoder,
  locks: LockGrants,
): ConversationOperation<TransactionRequest__Output, Encoded> {
  const transactions = new WeakMap<Scope, Transaction>();
  const started = new WeakSet<Scope>();

  const begin = async (request: TransactionRequest__Output, call: Call): Promise<Encoded> => {
    const { begin: asked } = request;
    if (asked === undefined || asked === null) {
      throw invalid('the first message of a transaction has to be `begin`');
    }
    const database = databases.named(asked.pool);
    const fences = fencesOf(asked, database.name, locks);
    const transaction = database.begin(
      beginOptions(asked, database.options, fences, () => {}),
      call,
    );
    transactions.set(call.scope, transaction);
    call.scope.onClose(() => transaction.abort(streamEnded()));
    call.scope.onClose(endWithLocks(asked, transaction, locks));
    await transaction.started();
    started.add(call.scope);
    return answer(response.begun, done);
  };

  const run = async (
    transaction: Transaction,
    request: TransactionRequest__Output,
    call: Call,
  ): Promise<Encoded> => {
    if (request.query) {
      checkPool(transaction, request.query.pool);
      noCommitId(request.query);
      const { parts } = queryResult(
        await transaction.query(statementOf(request.query.sql, request.query.params), call),
      );
      return answer(response.query, ...parts);
    }
    if (request.batch) {
      checkPool(transaction, request.batch.pool);
      noCommitId(request.batch);
      const { parts } = batchResult(
        await transaction.batch(batchStatements(request.batch), call),
        statuses,
      );
      return answer(response.batch, ...parts);
    }
    if (request.fetch) {
      const { parts } = queryResult(await transaction.control(fetchSql(request.fetch), call));
      return answer(response.fetch, ...parts);
    }
    if (request.savepoint) {
      await transaction.control(savepointSql(request.savepoint), call);
      return answer(response.savepoint, done);
    }
    if (request.commit) {
      await transaction.commit(call, request.commit.events);
      return answer(response.committed, done);
    }
    if (request.rollback) {
      await transaction.rollback();
      return answer(response.rolledBack, done);
    }
    throw invalid(
      request.begin ? 'the transaction has begun already' : 'the message has no request',
    );
  };

  return {
    name: 'Database.Transaction',
    target: ({ begin: asked }, { scope }) =>
      transactions.get(scope)?.pool ?? databases.label(asked?.pool ?? ''),
    handle: async (request, call) => {
      const transaction = transactions.get(call.scope);
      if (transaction === undefined) return begin(request, call);
      try {
        return await run(transaction, request, call);
      } catch (error) {
        // Also what never reached the transaction: a Commit may be on its way behind it.
        transaction.refuse(HoldfastError.from(error)).catch(() => {});
        throw error;
      }
    },
    // A failed statement is an answer: the caller may go back to a savepoint. Without a transaction there is nothing to go back to.
    answerError: (error, { scope }) =>
      started.has(scope) ? answer(response.error, statuses.encode(error)) : undefined,
  };
}

const answer = (field: number, ...parts: readonly Uint8Array[]): Encoded =>
  new Encoded(lengthDelimited(field, ...parts));

const streamEnded = (): HoldfastError =>
  new HoldfastError(
    'cancelled',
    'TRANSACTION_ROLLED_BACK',
    'the transaction was rolled back, because its stream ended',
  );
