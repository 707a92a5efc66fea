import { describe, expect, test } from 'vitest';
import { cancelled, deadlineExceeded } from '../../platform/call.ts';
import {
  aCall,
  beside,
  firstCells,
  openDatabase,
  rejection,
  serverSessions,
} from './database.test-kit.ts';
import { itemsKit, sleep } from './items.test-kit.ts';

const kit = itemsKit();
const { run } = kit;
const byId = 'select name from items where id = $1';

/** Runs often enough that the pool trusts the statement to be short. */
async function warmUp(): Promise<void> {
  for (let id = 1; id <= 5; id += 1) await run(byId, `${id}`);
}

describe('short reads that share a connection', () => {
  test('each get their own rows', async () => {
    await warmUp();
    const results = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => run(byId, `${at + 1}`)),
    );
    expect(results.map((result) => firstCells(result)[0])).toEqual(
      Array.from({ length: 1_000 }, (_, at) => `item ${at + 1}`),
    );
  });

  test('do not suffer from a neighbour that fails', async () => {
    await warmUp();
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, at) => run(byId, at % 10 === 0 ? 'not a number' : `${at}`)),
    );
    expect(results.map(({ status }) => status)).toEqual(
      Array.from({ length: 200 }, (_, at) => (at % 10 === 0 ? 'rejected' : 'fulfilled')),
    );
  });

  test('do not suffer from a neighbour that is cancelled while it runs', async () => {
    const { options } = kit.database.pool;
    kit.database.pool.resize({ ...options, max: 1 });
    // A read that is short when it learns and long when it counts.
    const often = 'select count(*) from generate_series(1, $1::int) a';
    for (let time = 0; time < 5; time += 1) await run(often, '1');
    const call = aCall();
    const long = rejection(kit.database.query({ sql: often, params: ['200000000'] }, call));
    const neighbours = Array.from({ length: 8 }, () => run(often, '2'));
    await sleep(100);
    call.end(cancelled());
    expect(await long).toMatchObject({ reason: 'CANCELLED' });
    for (const result of await Promise.all(neighbours)) expect(firstCells(result)).toEqual(['2']);
  });
});

describe('a statement that is cancelled', () => {
  test('is gone from the server within a second, and its connection serves on', async () => {
    const call = aCall();
    const result = rejection(kit.database.query({ sql: 'select pg_sleep(60)', params: [] }, call));
    await sleep(200);
    const before = performance.now();
    call.end(cancelled());
    expect(await result).toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
    expect(performance.now() - before).toBeLessThan(1_000);
    const sessions = await serverSessions(kit.url);
    expect(sessions.filter(({ state }) => state === 'active')).toEqual([]);
    await run('select 1');
  });

  test('says DEADLINE_EXCEEDED when its time was up', async () => {
    const call = aCall();
    const result = rejection(kit.database.query({ sql: 'select pg_sleep(60)', params: [] }, call));
    await sleep(100);
    call.end(deadlineExceeded());
    expect(await result).toMatchObject({ kind: 'deadline', reason: 'DEADLINE_EXCEEDED' });
  });

  test('is told its result when that was sooner', async () => {
    await run('select 1');
    const call = aCall();
    const result = kit.database.query({ sql: 'select 7', params: [] }, call);
    setImmediate(() => call.end(cancelled()));
    expect(firstCells(await result)).toEqual(['7']);
  });

  test('is not sent at all when the call has ended before', async () => {
    const call = aCall();
    call.end(cancelled());
    expect(
      await rejection(
        kit.database.query({ sql: `insert into items values (-1, '')`, params: [] }, call),
      ),
    ).toMatchObject({ reason: 'CANCELLED' });
    expect(firstCells(await run('select count(*) from items where id = -1'))).toEqual(['0']);
  });
});

test('a statement over the statement timeout says so', async () => {
  expect(await rejection(run('select pg_sleep(30)'))).toMatchObject({
    kind: 'deadline',
    reason: 'STATEMENT_TIMEOUT',
    metadata: { sqlstate: '57014' },
  });
});

test('a slow statement is reported with its text and without its parameters', async () => {
  await run('select pg_sleep($1::float8)', '0.6');
  expect(kit.slow).toEqual(['select pg_sleep($1::float8)']);
});

describe('a connection cut by the server', () => {
  const cut = (query: string): Promise<unknown> =>
    beside(kit.url, (client) =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and pid <> pg_backend_pid()',
        [query],
      ),
    );

  test('leaves the outcome of a write open', async () => {
    const sql = `with slow as (select pg_sleep(1)) insert into items select 5000, '' from slow`;
    const result = rejection(run(sql));
    await sleep(200);
    await cut(sql);
    expect(await result).toMatchObject({ kind: 'unknown-outcome', reason: 'COMMIT_UNKNOWN' });
  });

  test('is not noticed by a statement that only reads: it is run again', async () => {
    const sql = `select count(*) from generate_series(1, 3000000) a`;
    const result = run(sql);
    await sleep(50);
    await cut(sql);
    expect(firstCells(await result)).toEqual(['3000000']);
  });

  test('again and again is CONNECTION_LOST', async () => {
    const sql = 'select count(*) from generate_series(1, 200000000) a';
    const result = rejection(run(sql));
    for (let time = 0; time < 3; time += 1) {
      await sleep(200);
      await cut(sql);
    }
    expect(await result).toMatchObject({ kind: 'unavailable', reason: 'CONNECTION_LOST' });
    await run('select 1');
  });
});

test('a prepared statement whose columns changed is prepared anew, and nobody notices', async () => {
  await run('create table changing (a int)');
  await run('insert into changing values (1)');
  const all = 'select * from changing';
  for (let time = 0; time < 12; time += 1) await run(all);
  await run("alter table changing add b text default 'new'");
  const results = await Promise.all(Array.from({ length: 12 }, () => run(all)));
  for (const { parts } of results) expect(Buffer.concat(parts).toString()).toContain('new');
});

test('statements deallocated behind its back are prepared anew', async () => {
  await warmUp();
  await run(`do $$ begin execute 'deallocate all'; end $$`);
  const found = await Promise.all(Array.from({ length: 8 }, (_, at) => run(byId, `${at + 1}`)));
  expect(found).toHaveLength(8);
});

test('more texts than a connection keeps prepared still run', async () => {
  const { options } = kit.database.pool;
  kit.database.pool.resize({ ...options, max: 1 });
  for (let round = 0; round < 3; round += 1) {
    const results = await Promise.all(Array.from({ length: 400 }, (_, at) => run(`select ${at}`)));
    expect(results.map((result) => firstCells(result)[0])).toEqual(
      Array.from({ length: 400 }, (_, at) => `${at}`),
    );
  }
  const { rows } = await beside(kit.url, (client) => client.query('select 1'));
  expect(rows).toHaveLength(1);
  expect(
    Number(firstCells(await run('select count(*) from pg_prepared_statements'))[0]),
  ).toBeLessThanOrEqual(257);
});

test('a result over the limit is refused, and the next one is whole', async () => {
  const small = openDatabase(kit.url, { maxResultBytes: 1_000_000 });
  try {
    const error = await rejection(
      small.database.query(
        { sql: `select repeat('x', 1000) from generate_series(1, 1000000)`, params: [] },
        aCall(),
      ),
    );
    expect(error).toMatchObject({ kind: 'exhausted', reason: 'RESULT_TOO_LARGE' });
    expect(
      firstCells(await small.database.query({ sql: 'select 1', params: [] }, aCall())),
    ).toEqual(['1']);
  } finally {
    await small.close();
  }
});

test('a write whose result is too large says that it ran, and has', async () => {
  const sql = `insert into items values (7777, 'x') returning repeat(name, 20000000)`;
  expect(await rejection(run(sql))).toMatchObject({
    reason: 'RESULT_TOO_LARGE',
    metadata: { ran: 'true' },
  });
  expect(firstCells(await run('select name from items where id = 7777'))).toEqual(['x']);
});
