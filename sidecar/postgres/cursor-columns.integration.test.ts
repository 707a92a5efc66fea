import { expect, test } from 'vitest';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { aCall } from './database.test-kit.ts';
import { transactionKit } from './transaction.test-kit.ts';

const kit = transactionKit();
const queryResult = loadMessages().lookupType('holdfast.v1.QueryResult');

test.each(['as a frame', 'as SQL'])(
  'rows fetched %s come with the columns of their own cursor, whatever had its name before',
  async (how) => {
    for (const [query, names] of [
      ['select 1 as a', ['a']],
      [`select 'x' as b, 'y' as c`, ['b', 'c']],
      [`select 'z' as d`, ['d']],
    ] as const) {
      const transaction = kit.begin();
      await transaction.query({ sql: `declare it cursor for ${query}`, params: [] }, aCall());
      const sql = 'FETCH FORWARD 10 FROM "it"';
      const { parts } = await (how === 'as SQL'
        ? transaction.query({ sql, params: [] }, aCall())
        : transaction.control(sql, aCall()));
      const { columns } = queryResult.toObject(queryResult.decode(Buffer.concat(parts)));
      expect((columns as { name: string }[]).map(({ name }) => name)).toEqual(names);
      await transaction.commit(aCall());
    }
  },
);
