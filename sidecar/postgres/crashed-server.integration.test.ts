import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HoldfastError } from '../../platform/errors.ts';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import {
  aCall,
  beside,
  openDatabase,
  plainBegin,
  rejection,
  type TestPool,
} from './database.test-kit.ts';

let server: PostgresServer;
let proxy: FaultProxy;
let pool: TestPool;

beforeAll(async () => {
  // Nobody writes the log to disk but a commit that waits for it.
  server = await startPostgres({
    settings: { synchronous_commit: 'on', wal_writer_delay: '10s', wal_writer_flush_after: '0' },
  });
  await beside(server.url, (client) => client.query('create table truth (id uuid primary key)'));
  proxy = await FaultProxy.to({ host: '127.0.0.1', port: server.port }, 'postgresql');
  pool = openDatabase(proxy.through(server.url), { pool: { max: 12 } });
}, 30_000);
afterAll(async () => {
  await pool.close();
  await proxy[Symbol.asyncDispose]();
  await server.stop();
}, 30_000);

/** Ten transactions whose COMMIT does not get there before the server crashes; `strangers` commit before anybody can ask. */
async function crash(strangers: number): Promise<readonly string[]> {
  const ids = Array.from({ length: 10 }, () => randomUUID());
  const transactions = await Promise.all(
    ids.map(async (id) => {
      const transaction = pool.database.begin(plainBegin, aCall());
      await transaction.query({ sql: 'insert into truth values ($1)', params: [id] }, aCall());
      return transaction;
    }),
  );
  let stalled = 0;
  proxy.rule = ({ from, type, text }) => {
    if (from !== 'client' || type !== 'Bind' || text !== 'COMMIT') return undefined;
    stalled += 1;
    return { stall: true };
  };
  const told = Promise.all(
    transactions.map((transaction) =>
      transaction.commit(aCall(15_000)).then(
        () => 'committed',
        (error: unknown) => HoldfastError.from(error).reason,
      ),
    ),
  );
  await expect.poll(() => stalled).toBe(ids.length);
  proxy.rule = undefined;
  await server.kill();
  await server.start();
  await beside(server.url, async (client) => {
    for (let nth = 0; nth < strangers; nth += 1) {
      await client.query('insert into truth values (gen_random_uuid())');
    }
  });
  proxy.cut();
  const outcomes = await told;
  const { rows } = await beside(server.url, (client) =>
    client.query('select from truth where id = any ($1)', [ids]),
  );
  expect(rows).toHaveLength(0);
  return outcomes;
}

test('ids that a crashed server has given to strangers are not taken for what they were', async () => {
  const outcomes = await crash(100);
  expect(outcomes).not.toContain('committed');
  expect(new Set(outcomes)).toEqual(new Set(['COMMIT_UNKNOWN']));
}, 30_000);

test('ids that a crashed server has given to nobody yet were of transactions that are gone', async () => {
  const outcomes = await crash(0);
  expect(new Set(outcomes)).toEqual(new Set(['TRANSACTION_ROLLED_BACK']));
}, 30_000);

// A server of its own, for this too: statistics are the whole server's.
test('a transaction in progress is not told as rolled back because somebody reset the statistics', async () => {
  await beside(server.url, (client) =>
    client.query(`create table slow (id int);
      create function slow_end() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return null; end $$;
      create constraint trigger slow_end after insert on slow deferrable initially deferred for each row execute function slow_end()`),
  );
  const transaction = pool.database.begin(plainBegin, aCall());
  await transaction.query({ sql: 'insert into slow values (2)', params: [] }, aCall());
  proxy.rule = ({ from, type, text }) =>
    from === 'client' && type === 'Execute' && text === 'COMMIT'
      ? { cutClient: 'after' }
      : undefined;
  const commit = rejection(transaction.commit(aCall(10_000)));
  await sleep(200);
  proxy.rule = undefined;
  await beside(server.url, (client) => client.query(`select pg_stat_reset_shared('bgwriter')`));
  expect(await commit).toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  const { rows } = await beside(server.url, (client) => client.query('select from slow'));
  expect(rows).toHaveLength(1);
}, 20_000);
