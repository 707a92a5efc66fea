import type { PageRequest__Output } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { Operation } from '../../grpc/operation.ts';
import type { NamedDatabases } from '../../postgres/databases.ts';
import { readPage } from './page.ts';
import { pageMessage, pageMessages } from './page-answer.ts';
import type { SessionTransactions } from './session-transactions.ts';

/** Database.Page, by itself or as one piece of work of a transaction. */
export const pageOperation = (
  databases: NamedDatabases,
  transactions: SessionTransactions,
): Operation<PageRequest__Output, Encoded> => ({
  name: 'Database.Page',
  frame: 'page',
  target: ({ pool }, call) =>
    call.transactionId === 0 ? databases.label(pool) : transactions.poolOf(call),
  handle: async (request, call) => {
    const page =
      call.transactionId === 0
        ? await readPage(request, (statement) =>
            databases.named(request.pool).query(statement, call),
          )
        : await transactions.run(call, request.pool, (transaction) =>
            transaction.together((query) => readPage(request, query), call),
          );
    return Encoded.withWhole(pageMessages(page), () => pageMessage(page));
  },
});
