import type { Call } from '../../../platform/call.ts';
import type { BatchRequest__Output } from '../../../platform/gen/holdfast/v1/BatchRequest.ts';
import type { Begin__Output } from '../../../platform/gen/holdfast/v1/Begin.ts';
import type { Commit__Output } from '../../../platform/gen/holdfast/v1/Commit.ts';
import type { Fetch__Output } from '../../../platform/gen/holdfast/v1/Fetch.ts';
import type { QueryRequest__Output } from '../../../platform/gen/holdfast/v1/QueryRequest.ts';
import type { Savepoint__Output } from '../../../platform/gen/holdfast/v1/Savepoint.ts';
import type { StreamRequest__Output } from '../../../platform/gen/holdfast/v1/StreamRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import type { Operation, OperationTable, StreamOperation } from '../../grpc/operation.ts';
import { beginOptions } from './begin.ts';
import { commitIdOf, noCommitId, outcomeOperation } from './commit-id.ts';
import { batchStatements, fetchSql, savepointSql } from './checks.ts';
import { conversation } from './conversation.ts';
import { endWithLocks, fencesOf, type LockGrants } from './lock-grants.ts';
import type { NamedDatabases } from '../../postgres/databases.ts';
import { pageOperation } from './page-operation.ts';
import { batchResult, queryResult } from './results.ts';
import { SessionTransactions } from './session-transactions.ts';
import { invalid, statementOf } from './statement-values.ts';

const defaultStreamRows = 1_000;
const mostStreamRows = 10_000;

/** Everything of service Database, and the frames that only sessions have. */
export function databaseOperations(
  databases: NamedDatabases,
  statuses: StatusEncoder,
  locks: LockGrants,
): OperationTable {
  const transactions = new SessionTransactions();

  const targetOf = (pool: string, call: Call): string =>
    call.transactionId === 0 ? databases.label(pool) : transactions.poolOf(call);
  const refused = (call: Call): void => transactions.refuse(call);

  const query: Operation<QueryRequest__Output, Encoded> = {
    name: 'Database.Query',
    frame: 'query',
    target: ({ pool }, call) => targetOf(pool, call),
    handle: async (request, call) => {
      const { sql, params, pool, idempotent, commitId } = request;
      const result =
        call.transactionId === 0
          ? await databases
              .named(pool)
              .query(statementOf(sql, params), call, { idempotent, ...commitIdOf(commitId) })
          : await transactions.run(call, pool, (transaction) => {
              noCommitId(request);
              return transaction.query(statementOf(sql, params), call);
            });
      return queryResult(result);
    },
    refused,
  };

  const batch: Operation<BatchRequest__Output, Encoded> = {
    name: 'Database.Batch',
    frame: 'batch',
    target: ({ pool }, call) => targetOf(pool, call),
    handle: async (request, call) => {
      if (call.transactionId !== 0) {
        const results = await transactions.run(call, request.pool, (transaction) => {
          noCommitId(request);
          return transaction.batch(batchStatements(request), call);
        });
        return batchResult(results, statuses);
      }
      const statements = batchStatements(request);
      const database = databases.named(request.pool);
      const { atomic, idempotent } = request;
      const mark = commitIdOf(request.commitId);
      if (!atomic && mark.commitId !== undefined) {
        throw invalid(
          'commit_id needs an atomic batch: the others commit each statement by itself',
        );
      }
      const results = atomic
        ? await database.atomicBatch(statements, call, { idempotent, ...mark })
        : await database.looseBatch(statements, call);
      return batchResult(results, statuses);
    },
    refused,
  };

  const begin: Operation<Begin__Output, object> = {
    name: 'Database.Begin',
    frame: 'begin',
    begins: true,
    target: ({ pool }) => databases.label(pool),
    handle: async (request, call) => {
      const database = databases.named(request.pool);
      const { scope, transactionId } = call;
      const fences = fencesOf(request, database.name, locks);
      const transaction = transactions.add(call, (ended) =>
        database.begin(
          beginOptions(request, database.options, fences, (reason) => {
            ended(reason);
            scope.push('transactionEnded', { transactionId, reason: statuses.message(reason) });
          }),
          call,
        ),
      );
      transactions.whenOver(call, transaction, endWithLocks(request, transaction, locks));
      await transaction.started().catch((error: unknown) => {
        transactions.remove(call, transaction);
        throw error;
      });
      return {};
    },
  };

  const commit: Operation<Commit__Output, object> = {
    name: 'Database.Commit',
    frame: 'commit',
    target: (_request, call) => transactions.poolOf(call),
    exempt: true,
    uncancellable: true,
    handle: async ({ events }, call) => {
      const transaction = transactions.of(call);
      await transaction.commit(call, events).finally(() => transactions.remove(call, transaction));
      return {};
    },
  };

  const rollback: Operation<object, object> = {
    name: 'Database.Rollback',
    frame: 'rollback',
    target: (_request, call) => transactions.poolOf(call),
    exempt: true,
    uncancellable: true,
    handle: async (_request, call) => {
      const transaction = transactions.of(call);
      await transaction.rollback().finally(() => transactions.remove(call, transaction));
      return {};
    },
  };

  const savepoint: Operation<Savepoint__Output, object> = {
    name: 'Database.Savepoint',
    frame: 'savepoint',
    target: (_request, call) => transactions.poolOf(call),
    exempt: true,
    handle: async (request, call) => {
      await transactions.run(call, '', (transaction) =>
        transaction.control(savepointSql(request), call),
      );
      return {};
    },
    refused,
  };

  const fetch: Operation<Fetch__Output, Encoded> = {
    name: 'Database.Fetch',
    frame: 'fetch',
    target: (_request, call) => transactions.poolOf(call),
    handle: async (request, call) =>
      queryResult(
        await transactions.run(call, '', (transaction) =>
          transaction.control(fetchSql(request), call),
        ),
      ),
    refused,
  };

  const stream: StreamOperation<StreamRequest__Output, Encoded> = {
    name: 'Database.Stream',
    target: ({ query: asked }) => databases.label(asked?.pool ?? ''),
    handle: async ({ query: asked, maxRows }, call, send) => {
      if (asked === null) throw invalid('query is missing');
      if (maxRows > mostStreamRows) {
        throw invalid(`max_rows is ${maxRows}, more than ${mostStreamRows}`);
      }
      if (asked.commitId !== '') throw invalid('a stream has no commit_id: use Query');
      const statement = statementOf(asked.sql, asked.params);
      const rows = maxRows === 0 ? defaultStreamRows : maxRows;
      await databases
        .named(asked.pool)
        .stream(statement, rows, call, (part) => send(new Encoded(part)));
    },
  };

  return {
    unary: [
      query,
      batch,
      begin,
      commit,
      rollback,
      savepoint,
      fetch,
      pageOperation(databases, transactions),
      outcomeOperation(databases),
    ],
    streams: [stream],
    conversations: [conversation(databases, statuses, locks)],
  };
}
