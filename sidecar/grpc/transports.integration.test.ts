import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { failing, failureOf } from './failure.test-kit.ts';
import { cellsOf } from './raw-session.test-kit.ts';
import { StockClient } from './stock-client.test-kit.ts';
import { eventually, TestBed } from './test-bed.test-kit.ts';

/** Unary calls, streams and conversations do what sessions do. */

let database: TestDatabase;
let bed: TestBed;
let stock: StockClient;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { max: 2 } } });
  await bed.sql(
    `create table items (id int primary key, name text constraint named check (name <> ''))`,
  );
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  await bed.sql('truncate items');
  stock = bed.stock();
});
afterEach(async () => {
  stock.close();
  await bed.poolWhole();
});

const sleeping = { sql: 'select pg_sleep(30)' };

/** Resolves when the server runs the statement that sleeps, or no longer does. */
const expectSleeping = (count: number): Promise<void> =>
  eventually(async () => {
    const all = await bed.backends();
    const asleep = all.filter((each) => each.state === 'active' && each.query.includes('pg_sleep'));
    expect(asleep).toHaveLength(count);
  }, 1_000);

describe('what a call and a frame ask for is the same', () => {
  const requests = {
    'a query': {
      sql: `select 1 as one, null as n, ''::text as empty, $1::text`,
      params: [{ text: 'é' }],
    },
    'a write': { sql: `insert into items values ($1, 'x') returning *`, params: [{ int: 7 }] },
    'no rows': { sql: 'select 1 where false' },
  };
  test.for(Object.entries(requests))('%s has the same result', async ([, query]) => {
    using session = await bed.session();
    const unary = await stock.query(query);
    await bed.sql('truncate items');
    const { parts } = await session.ask({ query });
    expect(parts.map((part) => part.query)).toEqual([unary]);
    await bed.sql('truncate items');
    const streamed = (await stock.stream({ query }).toArray()) as (typeof unary)[];
    expect(streamed.flatMap((part) => cellsOf(part))).toEqual(cellsOf(unary));
    expect(streamed[0]?.columns).toEqual(unary.columns);
    expect(streamed.at(-1)).toMatchObject({
      command: unary.command,
      rowsAffected: unary.rowsAffected,
    });
  });

  test('a batch has the same results', async () => {
    using session = await bed.session();
    const batch = { statements: [{ sql: 'select 1' }, { sql: 'selec' }, { sql: `select 'x'` }] };
    const { parts } = await session.ask({ batch });
    expect(parts.map((part) => part.batch)).toEqual([await stock.batch(batch)]);
    const atomic = { ...batch, atomic: true };
    expect(await failing(stock.batch(atomic))).toEqual(
      (await session.ask({ batch: atomic })).failure,
    );
  });

  test('an error has the same status, reason and details', async () => {
    using session = await bed.session();
    const query = { sql: `insert into items values (1, '')` };
    const unary = await failing(stock.query(query));
    expect(unary).toEqual({
      status: 'FAILED_PRECONDITION',
      message: expect.stringContaining('named') as string,
      reason: 'DATABASE_ERROR',
      domain: 'holdfast.dev',
      metadata: {
        target: 'default',
        sqlstate: '23514',
        schema: 'public',
        table: 'items',
        constraint: 'named',
      },
      retryAfterMs: undefined,
    });
    expect((await session.ask({ query })).failure).toEqual(unary);
    expect(await failing(stock.stream({ query }).toArray())).toEqual(unary);
    const transaction = stock.transaction();
    await transaction.ask({ begin: {} });
    expect(await transaction.refusal({ query })).toEqual(unary);
  });

  test('an error that may pass says when to try again', async () => {
    const [one, other] = [stock.transaction(), stock.transaction()];
    await bed.sql(`insert into items values (1, 'a')`);
    for (const each of [one, other]) {
      await each.ask({ begin: { isolation: 'ISOLATION_REPEATABLE_READ' } });
      await each.ask({ query: { sql: 'select * from items' } });
    }
    const query = { sql: `update items set name = name || 'b'` };
    await one.ask({ query });
    await one.ask({ commit: {} });
    const failure = await other.refusal({ query });
    expect(failure).toMatchObject({
      status: 'ABORTED',
      reason: 'SERIALIZATION_FAILURE',
      metadata: { sqlstate: '40001' },
    });
    expect(failure.retryAfterMs).toBeGreaterThan(0);
  });

  test('no error ever names the password', async () => {
    const { password } = new URL(database.url);
    expect(password.length).toBeGreaterThan(3);
    const lost = await TestBed.open(database.url, {
      sidecarUrl: database.url.replace(/\/[^/]*$/, '/no_such_database'),
    });
    await using _closed = lost;
    const failure = await failing(lost.stock().query({ sql: 'select 1' }));
    expect(failure).toMatchObject({ status: 'UNAVAILABLE', reason: 'DATABASE_UNAVAILABLE' });
    expect(JSON.stringify(failure)).not.toContain(password);
  });
});

describe('a deadline of gRPC reaches the statement, which is gone within a second', () => {
  const exceeded = { status: 'DEADLINE_EXCEEDED' };
  const soon = (): { deadline: number } => ({ deadline: Date.now() + 150 });

  test('of a unary call', async () => {
    expect(await failing(stock.query(sleeping, soon()))).toMatchObject(exceeded);
    await expectSleeping(0);
    expect(await failing(stock.batch({ statements: [sleeping] }, soon()))).toMatchObject(exceeded);
    await expectSleeping(0);
  });

  test('of a stream', async () => {
    const call = stock.stream({ query: sleeping }, soon()).toArray();
    expect(await failing(call)).toMatchObject(exceeded);
    await expectSleeping(0);
  });

  test('of a conversation, and rolls it back', async () => {
    const transaction = stock.transaction(soon());
    await transaction.ask({ begin: {} });
    await transaction.ask({ query: { sql: `insert into items values (1, 'x')` } });
    transaction.send({ query: sleeping });
    expect(await transaction.ended).toMatchObject(exceeded);
    await expectSleeping(0);
    await bed.poolWhole();
    expect(await bed.count('items')).toBe(0);
  });

  test('of a frame', async () => {
    using session = await bed.session();
    const { failure } = await session.ask({ deadlineMs: 150, query: sleeping });
    expect(failure).toMatchObject({ ...exceeded, reason: 'DEADLINE_EXCEEDED' });
    await expectSleeping(0);
  });
});

describe('a call that is cancelled is gone from the server within a second', () => {
  test('a unary call', async () => {
    const client = new StockClient(bed.sidecar.address);
    const gone = failing(client.query(sleeping, { deadline: Date.now() + 60_000 }));
    await expectSleeping(1);
    client.cancelQueries();
    expect(await gone).toMatchObject({ status: 'CANCELLED' });
    await expectSleeping(0);
    client.close();
  });

  test('a stream', async () => {
    const stream = stock.stream({ query: sleeping });
    stream.on('error', () => {});
    await expectSleeping(1);
    stream.cancel();
    await expectSleeping(0);
  });

  test('a conversation', async () => {
    const transaction = stock.transaction();
    await transaction.ask({ begin: {} });
    transaction.send({ query: sleeping });
    await expectSleeping(1);
    transaction.cancel();
    await expectSleeping(0);
  });
});

describe('a conversation', () => {
  test('runs a transaction to its commit, with savepoints, batches and a cursor', async () => {
    const transaction = stock.transaction();
    const savepoint = (action: 'ACTION_SET' | 'ACTION_ROLLBACK' | 'ACTION_RELEASE') => ({
      savepoint: { action, name: 's' },
    });
    expect((await transaction.ask({ begin: {} })).response).toBe('begun');
    const statements = [1, 2, 3].map((id) => ({ sql: `insert into items values (${id}, 'x')` }));
    expect((await transaction.ask({ batch: { statements } })).batch?.results).toHaveLength(3);
    await transaction.ask(savepoint('ACTION_SET'));
    await transaction.ask({ query: { sql: 'delete from items' } });
    await transaction.ask(savepoint('ACTION_ROLLBACK'));
    expect((await transaction.ask(savepoint('ACTION_RELEASE'))).response).toBe('savepoint');
    await transaction.ask({
      query: { sql: 'declare c cursor for select id from items order by id' },
    });
    const fetch = { cursor: 'c', maxRows: 2 };
    const pages = [await transaction.ask({ fetch }), await transaction.ask({ fetch })];
    expect(pages.map((page) => cellsOf(page.fetch))).toEqual([[['1'], ['2']], [['3']]]);
    expect((await transaction.ask({ commit: {} })).response).toBe('committed');
    transaction.halfClose();
    expect((await transaction.ended).status).toBe('OK');
    expect(await bed.count('items')).toBe(3);
  });

  test('rolls back when it is told to, and takes messages that do not wait for answers', async () => {
    const transaction = stock.transaction();
    transaction.send({ begin: {} });
    transaction.send({ query: { sql: `insert into items values (1, 'x')` } });
    transaction.send({ query: { sql: `insert into items values (1, 'x')` } });
    transaction.send({ rollback: {} });
    transaction.halfClose();
    const answers = [];
    for (let time = 0; time < 4; time += 1) answers.push(await transaction.answer());
    expect(answers.map(({ response }) => response)).toEqual([
      'begun',
      'query',
      'error',
      'rolledBack',
    ]);
    expect(answers[2]?.error && failureOf(answers[2].error).metadata['sqlstate']).toBe('23505');
    expect(await bed.count('items')).toBe(0);
  });
});

test('who waits for the pool is served by priority, whatever the transport', async () => {
  using holder = await bed.session();
  using session = await bed.session();
  holder.send({ id: 1, transactionId: 1, begin: {} }, { id: 2, transactionId: 2, begin: {} });
  await holder.answers(1, 2);
  const query = { sql: `insert into items select count(*), $1 from items, pg_sleep(0.01)` };
  const named = (name: string) => ({ ...query, params: [{ text: name }] });
  const prioritized = (priority: string): StockClient => {
    const metadata = new Metadata();
    metadata.set('holdfast-priority', priority);
    return bed.stock(metadata);
  };
  const calls: Promise<unknown>[] = [prioritized('low').query(named('low'))];
  await sleep(30);
  calls.push(session.ask({ query: named('normal') }));
  await sleep(30);
  calls.push(session.ask({ priority: 'PRIORITY_LOW', query: named('low too') }));
  calls.push(prioritized('high').query(named('high')));
  await sleep(30);
  calls.push(session.ask({ priority: 'PRIORITY_HIGH', query: named('high too') }));
  await sleep(30);
  await holder.ask({ transactionId: 1, commit: {} });
  await Promise.all(calls);
  const order = await bed.sql<{ name: string }>('select name from items order by id');
  expect(order.map(({ name }) => name)).toEqual(['high', 'high too', 'normal', 'low', 'low too']);
});
