import type { Call } from '../../../platform/call.ts';
import type { PageRequest__Output } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { Operation } from '../../grpc/operation.ts';
import type { Databases } from './databases.ts';
import { readPage } from './page.ts';
import { pageMessage, pageMessages, type Page } from './page-answer.ts';
import type { SessionTransactions } from './session-transactions.ts';

type PageOperation = Operation<PageRequest__Output, Encoded>;

/**
 * Database.Page, as a frame and as a call of its own, in this order: of two rows with one name the later one is the call. A frame's answer is cut
 * into parts, which sessions put together by themselves. A call's answer is one message, because decoders made by protobufjs, as in stock
 * Node clients, keep only the last `result` of several instead of merging them.
 */
export function pageOperations(
  databases: Databases,
  transactions: SessionTransactions,
): readonly PageOperation[] {
  const target: PageOperation['target'] = ({ pool }) => databases.label(pool);
  const read = async (request: PageRequest__Output, call: Call): Promise<Page> => {
    if (call.transactionId !== 0) {
      const transaction = transactions.of(call);
      return readPage(request, (statement) => transaction.query(statement, call));
    }
    const database = databases.named(request.pool);
    return readPage(request, (statement) => database.query(statement, call));
  };
  return [
    {
      name: 'Database.Page',
      frame: 'page',
      target,
      handle: async (request, call) => new Encoded(...pageMessages(await read(request, call))),
    },
    {
      name: 'Database.Page',
      target,
      handle: async (request, call) => new Encoded(pageMessage(await read(request, call))),
    },
  ];
}
