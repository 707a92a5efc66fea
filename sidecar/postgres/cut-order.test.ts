import { expect, test } from 'vitest';
import { beginStatement } from './begin-statement.ts';
import { controlStatement } from './control-statement.ts';
import { lossOf } from './cut-order.ts';
import { plainBegin } from './database.test-kit.ts';
import { Exchange, type TransactionStatus } from './exchange.ts';

const begin = beginStatement(plainBegin);
const step = (sql: string) => (sql === 'BEGIN' ? begin : controlStatement(sql));
const exchange = (...sqls: string[]) => ({ exchange: new Exchange(sqls.map(step), 0) });

test.each<[string, TransactionStatus, readonly (readonly string[])[], number]>([
  ['nothing', 'I', [], 1],
  ['reads', 'I', [['SELECT 1'], ['SELECT 2']], 1],
  ['a transaction between its statements', 'T', [], 2],
  ['a transaction that has failed', 'E', [], 2],
  ['a read of a transaction', 'T', [['SELECT 1']], 2],
  ['the first write of a transaction', 'I', [['BEGIN', 'DELETE FROM t']], 2],
  ['a write by itself', 'I', [['DELETE FROM t']], 3],
  ['a write among reads', 'I', [['SELECT 1'], ['DELETE FROM t']], 3],
  ['a commit', 'T', [['COMMIT']], 4],
])('what is lost by cutting %s', (_title, status, running, expected) => {
  expect(
    lossOf(
      status,
      running.map((sqls) => exchange(...sqls)),
    ),
  ).toBe(expected);
});
