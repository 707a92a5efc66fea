import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { aCall, beside, openDatabase, rejection, type TestPool } from './database.test-kit.ts';

let server: TestDatabase;
let proxy: FaultProxy;
let pool: TestPool;

beforeAll(async () => {
  server = await testDatabase();
  await beside(server.url, (client) => client.query('create table work (id int)'));
  const { hostname, port } = new URL(server.url);
  proxy = await FaultProxy.to({ host: hostname, port: Number(port) }, 'postgresql');
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server.drop();
});
beforeEach(async () => {
  pool = openDatabase(proxy.through(server.url), { pool: { max: 2 } });
  await pool.database.query({ sql: 'select 1', params: [] }, aCall());
});
afterEach(async () => {
  proxy.rule = undefined;
  await pool.close();
});

const insert = (id: number) => ({ sql: `insert into work values (${id})`, params: [] });
const times = (id: number): Promise<number> =>
  beside(server.url, async (client) => {
    const { rows } = await client.query('select from work where id = $1', [id]);
    return rows.length;
  });
/** Loses the answers to what was committed, so many times. */
function loseAnswers(count: number): { lost: number } {
  const seen = { lost: 0 };
  let writing = false;
  proxy.rule = ({ from, type, text }) => {
    if (from === 'client' && type === 'Bind' && /^(?:insert|COMMIT)/.test(text)) writing = true;
    if (type !== 'ReadyForQuery' || !writing || seen.lost >= count) return undefined;
    writing = false;
    seen.lost += 1;
    return { cut: 'before' };
  };
  return seen;
}

test('a write whose answer is lost runs again only on its caller’s word', async () => {
  loseAnswers(1);
  expect(await rejection(pool.database.query(insert(1), aCall()))).toMatchObject({
    reason: 'COMMIT_UNKNOWN',
  });
  expect(await times(1)).toBe(1);
  const seen = loseAnswers(1);
  await pool.database.query(insert(2), aCall(), { idempotent: true });
  expect([seen.lost, await times(2)]).toEqual([1, 2]);
});

test('at most twice', async () => {
  const seen = loseAnswers(10);
  const query = pool.database.query(insert(3), aCall(), { idempotent: true });
  expect(await rejection(query)).toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  expect([seen.lost, await times(3)]).toEqual([3, 3]);
});

test('a write that may have taken effect is never told as one that did not run, whatever comes after it', async () => {
  loseAnswers(1);
  const { rule } = proxy;
  proxy.rule = (message) => {
    const fault = rule?.(message);
    if (fault !== undefined) void proxy.shut();
    return fault;
  };
  // The next try finds nobody there.
  const query = pool.database.query(insert(4), aCall(), { idempotent: true });
  expect(await rejection(query)).toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  expect(await times(4)).toBe(1);
  await proxy.reopen();
});

test('a batch whose transaction is known to be rolled back is run again', async () => {
  let cuts = 0;
  proxy.rule = ({ from, type, text }) => {
    if (from !== 'client' || type !== 'Bind' || text !== 'COMMIT' || cuts > 0) return undefined;
    cuts += 1;
    return { cut: 'before' };
  };
  await pool.database.atomicBatch([insert(5)], aCall());
  expect([cuts, await times(5)]).toEqual([1, 1]);
});

test('a batch in a deadlock with another is run again', async () => {
  await beside(server.url, (client) =>
    client.query(
      'create table pair (id int primary key, n int); insert into pair values (1, 0), (2, 0)',
    ),
  );
  const add = (id: number) => ({
    sql: `update pair set n = n + 1 where id = ${id}`,
    params: [],
  });
  const wait = { sql: 'select pg_sleep(0.1)', params: [] };
  await Promise.all([
    pool.database.atomicBatch([add(1), wait, add(2)], aCall()),
    pool.database.atomicBatch([add(2), wait, add(1)], aCall()),
  ]);
  const { rows } = await beside(server.url, (client) => client.query('select n from pair'));
  expect(rows).toEqual([{ n: 2 }, { n: 2 }]);
});

test('a procedure that committed something before it met a read-only server is not run again', async () => {
  await beside(server.url, (client) =>
    client.query(`create procedure half() language plpgsql as $$ begin insert into work values (6); commit;
      set transaction read only; insert into work values (7); end $$`),
  );
  const writing = openDatabase(server.url, { targetSessionAttrs: 'read-write' });
  const call = writing.database.query({ sql: 'call half()', params: [] }, aCall());
  expect(await rejection(call)).toMatchObject({ metadata: { sqlstate: '25006' } });
  expect(await times(6)).toBe(1);
  await writing.close();
});

test('a statement without a deadline on a server that answers nothing ends soon after the statement timeout', async () => {
  const silent = openDatabase(proxy.through(server.url), { statementTimeoutMs: 300 });
  await silent.database.query({ sql: 'select 1', params: [] }, aCall());
  proxy.stall();
  const startedAt = performance.now();
  expect(await rejection(silent.database.query(insert(8), aCall()))).toMatchObject({
    reason: 'COMMIT_UNKNOWN',
  });
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  expect(silent.database.pool.counts.lent).toBe(0);
  proxy.release();
  await silent.close();
});
