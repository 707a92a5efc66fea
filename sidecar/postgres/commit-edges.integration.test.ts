import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Call, cancelled, deadlineExceeded } from '../../platform/call.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { BeginOptions } from './begin-statement.ts';
import {
  aCall,
  beside,
  openDatabase,
  plainBegin,
  rejection,
  type TestPool,
} from './database.test-kit.ts';
import type { Transaction } from './transaction.ts';

let server: TestDatabase;
let proxy: FaultProxy;
let pool: TestPool;

beforeAll(async () => {
  server = await testDatabase();
  await beside(server.url, (client) =>
    client.query(`create table work (id int, t text);
      create table slow (id int);
      create function slow_end() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return null; end $$;
      create constraint trigger slow_end after insert on slow deferrable initially deferred for each row execute function slow_end();
      create function bump() returns int language sql volatile as $$ insert into work values (200, 'v') returning id $$;
      create view peek as select bump() as n`),
  );
  const { hostname, port } = new URL(server.url);
  proxy = await FaultProxy.to({ host: hostname, port: Number(port) }, 'postgresql');
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server.drop();
});
beforeEach(() => {
  pool = openDatabase(proxy.through(server.url), { maxResultBytes: 1_000 });
});
afterEach(async () => {
  proxy.rule = undefined;
  proxy.release();
  await pool.close();
});

const statement = (sql: string) => ({ sql, params: [] });
const times = (from: string): Promise<number> =>
  beside(server.url, async (client) => (await client.query(`select from ${from}`)).rows.length);
const begin = (options: Partial<BeginOptions> = {}): Transaction =>
  pool.database.begin({ ...plainBegin, ...options }, aCall());
/** A call that ends so. */
function ending(afterMs: number, reason: HoldfastError): Call {
  const call = aCall(afterMs);
  setTimeout(() => call.end(reason), afterMs);
  return call;
}

describe('work that may have taken effect is never told as something else', () => {
  test.each([{}, { commitId: randomUUID() }])(
    'a batch whose commit is still under way at its deadline (%o)',
    async (safety) => {
      const before = await times('slow');
      const batch = pool.database.atomicBatch(
        [statement('insert into slow values (1)')],
        ending(400, deadlineExceeded()),
        safety,
      );
      expect(await rejection(batch)).toMatchObject({ reason: 'COMMIT_UNKNOWN' });
      await expect.poll(() => times('slow'), { timeout: 3_000 }).toBe(before + 1);
    },
  );

  test.each([deadlineExceeded(), cancelled()])(
    'a write whose answer does not come before its call ends ($reason)',
    async (reason) => {
      const id = reason.kind === 'deadline' ? 11 : 12;
      const writing = new Set<number>();
      proxy.rule = ({ from, type, text, connection }) => {
        if (from === 'client' && type === 'Bind' && text.startsWith('insert')) {
          writing.add(connection);
        }
        return type === 'ReadyForQuery' && writing.has(connection) ? { stall: true } : undefined;
      };
      const write = statement(`insert into work values (${id})`);
      const startedAt = performance.now();
      const query = pool.database.query(write, ending(300, reason));
      expect(await rejection(query)).toMatchObject({ reason: 'COMMIT_UNKNOWN' });
      // The server does not answer the cancel request either: its connection is cut soon.
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      expect(await times(`work where id = ${id}`)).toBe(1);
    },
  );

  test('a transaction that only read, by its text, but from a view that writes', async () => {
    const before = await times('work where id = 200');
    const transaction = begin();
    await transaction.query(statement('select n from peek'), aCall());
    proxy.rule = ({ type, text }) =>
      type === 'CommandComplete' && text === 'COMMIT' ? { cut: 'before' } : undefined;
    expect(await rejection(transaction.commit(aCall(3_000)))).toMatchObject({
      reason: 'COMMIT_UNKNOWN',
    });
    expect(await times('work where id = 200')).toBe(before + 1);
  });
});

test('a statement with a commit_id whose result is too large was rolled back, and says so', async () => {
  const large = statement(`insert into work values (400, repeat('x', 5000)) returning t`);
  const query = pool.database.query(large, aCall(), { commitId: randomUUID() });
  expect(await rejection(query)).toMatchObject({
    reason: 'RESULT_TOO_LARGE',
    metadata: { ran: 'false' },
  });
  expect(await times('work where id = 400')).toBe(0);
});

test('what a question takes is not taken from the room for results', async () => {
  const write = statement(`insert into work values (402, repeat('x', 960)) returning t`);
  await pool.database.query(write, aCall());
  const transaction = begin();
  expect((await transaction.query(write, aCall())).rows).toBe(1);
  await transaction.rollback();
});

test('whoever asks for an outcome may stop asking', async () => {
  const commitId = randomUUID();
  const transaction = begin({ commitId });
  await transaction.query(statement('select 1'), aCall());
  const asked = pool.database.outcome(commitId, ending(100, cancelled()));
  expect(await rejection(asked)).toMatchObject({ reason: 'CANCELLED' });
  await expect.poll(() => pool.database.pool.counts.lent).toBe(1);
  await transaction.commit(aCall());
});

test('a server that takes no writes for a moment is asked again by commit_id', async () => {
  const name = new URL(server.url).pathname.slice(1);
  const transaction = begin({ commitId: randomUUID() });
  await transaction.query(statement('insert into work values (800)'), aCall());
  await beside(server.url, (client) =>
    client.query(`alter database ${name} set default_transaction_read_only = on`),
  );
  proxy.rule = ({ type, text }) =>
    type === 'CommandComplete' && text === 'COMMIT' ? { cut: 'before' } : undefined;
  const commit = transaction.commit(aCall(8_000));
  await sleep(500);
  await beside(server.url, async (client) => {
    await client.query('set default_transaction_read_only = off');
    await client.query(`alter database ${name} reset default_transaction_read_only`);
  });
  proxy.rule = undefined;
  proxy.cut(); // sessions keep the setting that they began with
  await commit;
  expect(await times('work where id = 800')).toBe(1);
});

test('a transaction that is aborted while its mark travels is not committed', async () => {
  await pool.database.query(statement('select 1'), aCall());
  const commitId = randomUUID();
  const transaction = begin({ commitId });
  await transaction.started();
  proxy.rule = ({ from, type, text }) => {
    if (from === 'client' && type === 'Bind' && text.startsWith('INSERT INTO holdfast')) {
      transaction.abort(new HoldfastError('conflict', 'TRANSACTION_TIMEOUT', 'too long'));
    }
    return undefined;
  };
  expect(await rejection(transaction.commit(aCall()))).toMatchObject({
    reason: 'TRANSACTION_TIMEOUT',
  });
  proxy.rule = undefined;
  expect(await pool.database.outcome(commitId, aCall())).toBe('rolled-back');
});
