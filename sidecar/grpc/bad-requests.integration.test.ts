import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import type { QueryRequest } from '../../platform/gen/holdfast/v1/QueryRequest.ts';
import type { TransactionRequest } from '../../platform/gen/holdfast/v1/TransactionRequest.ts';
import type { Value } from '../../platform/gen/holdfast/v1/Value.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { failing, failureOf, type Failure } from './failure.test-kit.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import type { StockClient } from './stock-client.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** Requests that cannot work: a clear error each, on every transport, and no harm to the calls beside them. */

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;
let stock: StockClient;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
  await bed.sql('create table items (id int primary key)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  session = await bed.session();
  stock = bed.stock();
});
afterEach(async () => {
  session.close();
  stock.close();
  await bed.poolWhole();
  if ((await bed.count('items')) > 0) throw new Error('a bad request wrote something');
});

/** Status, reason, and what the message has to name. */
type Expected = readonly [status: string, reason: string, ...named: string[]];
const invalid = (...named: string[]): Expected => ['INVALID_ARGUMENT', 'INVALID_REQUEST', ...named];
const refused: Expected = ['INVALID_ARGUMENT', 'STATEMENT_REFUSED', 'Commit'];

function expectFailure(failure: Failure | undefined, [status, reason, ...named]: Expected): void {
  expect(failure).toMatchObject({ status, reason, domain: 'holdfast.dev' });
  for (const each of named) expect(failure?.message).toContain(each);
}

const insert = 'insert into items values (1)';
const nul = 'a\0b';
const texts = (count: number): Value[] => Array.from({ length: count }, () => ({ int: 1 }));

const badQueries: Record<string, readonly [QueryRequest, Expected]> = {
  'no sql': [{}, invalid('sql is empty')],
  'a null byte in the sql': [{ sql: `${insert} -- ${nul}` }, invalid('sql', 'U+0000')],
  'sql over a mebibyte': [{ sql: `${insert} --${'x'.repeat(1024 * 1024)}` }, invalid('1048576')],
  'a null byte in a parameter': [
    { sql: insert, params: [{ int: 1 }, { text: nul }] },
    invalid('parameter $2', 'U+0000'),
  ],
  'a value without a kind': [{ sql: insert, params: [{}] }, invalid('parameter $1', 'null')],
  'too many parameters': [{ sql: insert, params: texts(65_536) }, invalid('65536', '65535')],
  'a pool that nobody knows': [
    { sql: insert, pool: 'nope' },
    ['NOT_FOUND', 'UNKNOWN_POOL', '"default"'],
  ],
  'transaction control': [{ sql: 'commit' }, refused],
  'a syntax error': [{ sql: `${insert} oops` }, ['INVALID_ARGUMENT', 'DATABASE_ERROR', 'oops']],
  'a parameter of the wrong type': [
    { sql: 'insert into items values ($1)', params: [{ text: 'many' }] },
    ['INVALID_ARGUMENT', 'DATABASE_ERROR', 'integer'],
  ],
  'too few parameters': [
    { sql: 'insert into items values ($1)' },
    ['INVALID_ARGUMENT', 'DATABASE_ERROR'],
  ],
  'an error of a class of its own': [
    { sql: `do $$ begin raise 'made up' using errcode = 'AB123'; end $$` },
    ['FAILED_PRECONDITION', 'DATABASE_ERROR', 'made up'],
  ],
};

describe('a query with', () => {
  test.for(Object.entries(badQueries))('%s fails alone', async ([, [query, expected]]) => {
    expectFailure(await failing(stock.query(query)), expected);
    expectFailure(await failing(stock.stream({ query }).toArray()), expected);

    session.send(
      { id: 1, query: { sql: `select 'neighbour' from pg_sleep(0.02)` } },
      { id: 2, query },
      { id: 3, query: { sql: `select 'next'` } },
    );
    const [before, bad, after] = await session.answers(1, 2, 3);
    expectFailure(bad?.failure, expected);
    expect([before?.rows, after?.rows]).toEqual([[['neighbour']], [['next']]]);
  });

  test.for(Object.entries(badQueries))(
    '%s fails in a batch',
    async ([, [{ sql, params, pool }, expected]]) => {
      const statements = [{ sql: 'select 1' }, { sql: sql ?? '', params: params ?? [] }];
      const batch = { statements, pool: pool ?? '', atomic: true };
      expectFailure(await failing(stock.batch(batch)), expected);
      expectFailure((await session.ask({ batch })).failure, expected);
    },
  );

  test.for(Object.entries(badQueries).filter(([, [{ pool }]]) => pool === undefined))(
    '%s fails in a transaction, which a savepoint saves',
    async ([, [query, expected]]) => {
      const savepoint = { action: 'ACTION_SET', name: 's' } as const;
      const back = { action: 'ACTION_ROLLBACK', name: 's' } as const;
      const inSession = (frame: ClientFrame) => session.ask({ transactionId: 1, ...frame });
      await inSession({ begin: {} });
      await inSession({ savepoint });
      expectFailure((await inSession({ query })).failure, expected);
      expect((await inSession({ savepoint: back })).kind).toBe('savepoint');
      expect((await inSession({ query: { sql: 'select 1' } })).rows).toEqual([['1']]);
      await inSession({ rollback: {} });

      const stream = stock.transaction();
      await stream.ask({ begin: {} });
      await stream.ask({ savepoint });
      expectFailure(await stream.refusal({ query }), expected);
      expect((await stream.ask({ savepoint: back })).response).toBe('savepoint');
      expect((await stream.ask({ query: { sql: 'select 1' } })).response).toBe('query');
      stream.halfClose();
      expect((await stream.ended).status).toBe('OK');
    },
  );

  test('a pool that is not its transaction’s is refused', async () => {
    await session.ask({ transactionId: 1, begin: {} });
    const query = { sql: insert, pool: 'nope' };
    const { failure } = await session.ask({ transactionId: 1, query });
    expect(failure?.reason).toMatch(/^(INVALID_REQUEST|UNKNOWN_POOL)$/);
    const own = await session.ask({
      transactionId: 1,
      query: { sql: 'select 1', pool: 'default' },
    });
    expect(own.rows).toEqual([['1']]);
    const stream = stock.transaction();
    await stream.ask({ begin: {} });
    expect((await stream.refusal({ query })).reason).toMatch(/^(INVALID_REQUEST|UNKNOWN_POOL)$/);
  });
});

const statement = { sql: 'select 1' };
const badInside: Record<string, readonly [TransactionRequest, Expected]> = {
  'a batch without statements': [{ batch: {} }, invalid('no statement')],
  'a batch of 1,001 statements': [
    { batch: { statements: Array.from({ length: 1_001 }, () => statement) } },
    invalid('1001', '1000'),
  ],
  'a savepoint without a name': [{ savepoint: { action: 'ACTION_SET' } }, invalid('no name')],
  'a savepoint without an action': [{ savepoint: { name: 's' } }, invalid('no action')],
  'a savepoint with an action that nobody knows': [
    { savepoint: { name: 's', action: Number('9') as 3 } },
    invalid('action'),
  ],
  'a savepoint with a long name': [
    { savepoint: { name: 'ä'.repeat(32), action: 'ACTION_SET' } },
    invalid('63 bytes'),
  ],
  'a savepoint with a null byte in its name': [
    { savepoint: { name: nul, action: 'ACTION_SET' } },
    invalid('U+0000'),
  ],
  'a savepoint that was never set': [
    { savepoint: { name: 's', action: 'ACTION_RELEASE' } },
    ['FAILED_PRECONDITION', 'DATABASE_ERROR'],
  ],
  'a fetch from no cursor': [{ fetch: {} }, invalid('cursor', 'no name')],
  'a fetch from a cursor that nobody declared': [
    { fetch: { cursor: 'c"; select 1 --' } },
    ['NOT_FOUND', 'DATABASE_ERROR', 'does not exist'],
  ],
  'a fetch of too many rows': [
    { fetch: { cursor: 'c', maxRows: 100_001 } },
    invalid('100001', '100000'),
  ],
};

describe('inside a transaction', () => {
  test.for(Object.entries(badInside))('%s is an answer', async ([, [request, expected]]) => {
    const stream = stock.transaction();
    await stream.ask({ begin: {} });
    expectFailure(await stream.refusal(request), expected);
    stream.cancel();

    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, ...(request as ClientFrame) },
      { id: 3, query: { sql: `select 'neighbour'` } },
    );
    const [, bad, neighbour] = await session.answers(1, 2, 3);
    expectFailure(bad?.failure, expected);
    expect(neighbour?.rows).toEqual([['neighbour']]);
  });
});

describe('a conversation', () => {
  test('has to begin with a Begin', async () => {
    for (const request of [{ query: { sql: insert } }, { commit: {} }, {}]) {
      const stream = stock.transaction();
      stream.send(request);
      expectFailure(await stream.ended, invalid('begin'));
    }
  });

  test('begins once, and every message asks for something', async () => {
    const stream = stock.transaction();
    await stream.ask({ begin: {} });
    expectFailure(await stream.refusal({ begin: {} }), invalid('begun already'));
    expectFailure(await stream.refusal({}), invalid('no request'));
    expectFailure(await stream.refusal({ commit: {} }), ['ABORTED', 'TRANSACTION_ROLLED_BACK']);
    expectFailure(await stream.refusal({ query: { sql: insert } }), [
      'NOT_FOUND',
      'UNKNOWN_TRANSACTION',
    ]);
  });

  test('that cannot begin ends with the reason', async () => {
    const stream = stock.transaction();
    stream.send({ begin: { pool: 'nope' } });
    expectFailure(await stream.ended, ['NOT_FOUND', 'UNKNOWN_POOL']);
  });
});

describe('a batch', () => {
  test('of nothing and of 1,001 statements is refused, of 1,000 it is not', async () => {
    const of = (count: number) => ({ statements: Array.from({ length: count }, () => statement) });
    expectFailure(await failing(stock.batch(of(0))), invalid('no statement'));
    expectFailure(await failing(stock.batch(of(1_001))), invalid('1001'));
    expect((await stock.batch(of(1_000))).results).toHaveLength(1_000);
  });

  test('that is not all or nothing reports each failure beside the others’ results', async () => {
    const sqls = ['select 1', 'selec', 'select 1/0', 'select 4'];
    const { results } = await stock.batch({ statements: sqls.map((sql) => ({ sql })) });
    expect(results.map(({ outcome }) => outcome)).toEqual(['result', 'error', 'error', 'result']);
    const sqlstates = results.flatMap(({ error }) =>
      error ? [failureOf(error).metadata['sqlstate']] : [],
    );
    expect(sqlstates).toEqual(['42601', '22012']);
  });
});

describe('a stream', () => {
  test('of more than 10,000 rows in a message, or of nothing, is refused', async () => {
    const query = { sql: 'select 1' };
    expectFailure(
      await failing(stock.stream({ query, maxRows: 10_001 }).toArray()),
      invalid('10001', '10000'),
    );
    expectFailure(await failing(stock.stream({}).toArray()), invalid('query'));
  });
});

describe('a frame', () => {
  test('without a request is refused', async () => {
    expectFailure((await session.ask({})).failure, invalid('no request'));
  });

  test('with a request of a later version says that this sidecar does not know it', async () => {
    // Field 500 with an empty message, in a frame with the id 1.
    session.sendBytes(Buffer.from([0x0a, 0x05, 0x08, 0x01, 0xa2, 0x1f, 0x00]));
    expectFailure((await session.answer(1)).failure, ['UNIMPLEMENTED', 'UNIMPLEMENTED', '500']);
    expect(await session.rows('select 1')).toEqual([['1']]);
  });
});

describe('a deadline', () => {
  test('of 0 in a frame is none', async () => {
    const { rows } = await session.ask({ deadlineMs: 0, query: { sql: 'select pg_sleep(0.05)' } });
    expect(rows).toHaveLength(1);
  });

  test('that has passed before the call comes ends it at once', async () => {
    const deadline = Date.now() - 1;
    const expected = { status: 'DEADLINE_EXCEEDED' };
    expect(await failing(stock.query({ sql: insert }, { deadline }))).toMatchObject(expected);
    expect(
      await failing(stock.stream({ query: { sql: insert } }, { deadline }).toArray()),
    ).toMatchObject(expected);
    expect(await stock.transaction({ deadline }).ended).toMatchObject(expected);
  });

  test('that passes in the queue says that the pool is exhausted, and what it waited for', async () => {
    const ids = Array.from({ length: 10 }, (_, at) => at + 1);
    session.send(...ids.map((id) => ({ id, transactionId: id, begin: {} })));
    await session.answers(...ids);
    const { failure } = await session.ask({ deadlineMs: 50, query: { sql: insert } });
    expectFailure(failure, ['RESOURCE_EXHAUSTED', 'POOL_EXHAUSTED', '"default"']);
    expect(failure?.metadata).toMatchObject({ queue_length: expect.any(String) as string });
    expect(failure?.retryAfterMs).toBeGreaterThan(0);
  });
});
