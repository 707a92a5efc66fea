import { afterEach, beforeEach, expect, test } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { aCall, beside, firstCells, openDatabase, rejection } from './database.test-kit.ts';
import { itemsKit, sleep } from './items.test-kit.ts';

const kit = itemsKit();
let pool: ReturnType<typeof openDatabase>;
const run = (sql: string, call = aCall()) => pool.database.query({ sql, params: [] }, call);

beforeEach(async () => {
  await beside(kit.url, (client) => client.query('create table if not exists runs (id int)'));
  await beside(kit.url, (client) => client.query('truncate runs'));
  pool = openDatabase(kit.url, { pool: { max: 1 }, statementTimeoutMs: 400 });
});
afterEach(() => pool.close());

const commitsAndThen = (what: string): string =>
  `do $$ begin insert into runs values (1); commit; ${what}; end $$`;
const runs = async () => firstCells(await run('select count(*) from runs'))[0];

test('a procedure that committed something and then knew no prepared statement runs once', async () => {
  const error = await rejection(run(commitsAndThen(`execute 'execute nothing'`)));
  expect(error.metadata).toMatchObject({ sqlstate: '26000' });
  expect(await runs()).toBe('1');
});

test('a procedure that committed something and then took too long runs once, even soon after a cancel', async () => {
  const call = aCall();
  const cancelledOne = rejection(run('select pg_sleep(0.3)', call));
  await sleep(50);
  call.end(cancelled());
  await cancelledOne;
  const error = await rejection(run(commitsAndThen('perform pg_sleep(5)')));
  expect(error.reason).toBe('STATEMENT_TIMEOUT');
  expect(await runs()).toBe('1');
});
