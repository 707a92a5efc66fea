import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Begin } from '../../platform/gen/holdfast/v1/Begin.ts';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import { proxyTo } from '../../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import { eventually, TestBed } from './test-bed.test-kit.ts';

/** Transactions as frames of a session. */

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    postgres: { pool: { max: 10 }, transactionTimeoutMs: 10_000 },
  });
  await bed.sql('create table items (id int primary key, name text)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  await bed.sql('truncate items');
  session = await bed.session();
});
afterEach(async () => {
  session.close();
  await bed.poolWhole();
});

const insert = (id: number): ClientFrame => ({
  query: { sql: 'insert into items values ($1)', params: [{ int: id }] },
});
const ids = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

test('Begin to Commit may be sent at once, without waiting for any answer', async () => {
  session.send(
    { id: 1, transactionId: 9, begin: { isolation: 'ISOLATION_SERIALIZABLE' } },
    { id: 2, transactionId: 9, ...insert(1) },
    {
      id: 3,
      transactionId: 9,
      batch: {
        statements: [{ sql: `insert into items values (2, 'two')` }, { sql: 'table items' }],
      },
    },
    { id: 4, transactionId: 9, savepoint: { action: 'ACTION_SET', name: 's' } },
    { id: 5, transactionId: 9, ...insert(1) },
    { id: 6, transactionId: 9, savepoint: { action: 'ACTION_ROLLBACK', name: 's' } },
    { id: 7, transactionId: 9, query: { sql: 'declare c cursor for table items order by id' } },
    { id: 8, transactionId: 9, fetch: { cursor: 'c', maxRows: 10 } },
    { id: 9, transactionId: 9, commit: {} },
  );
  const answers = await session.answers(...ids(1, 9));
  expect(answers.map(({ kind }) => kind)).toEqual([
    'begin',
    'query',
    'batch',
    'savepoint',
    'error',
    'savepoint',
    'query',
    'fetch',
    'commit',
  ]);
  expect(answers[4]?.failure).toMatchObject({
    status: 'ALREADY_EXISTS',
    reason: 'DATABASE_ERROR',
    metadata: { target: 'default', sqlstate: '23505', constraint: 'items_pkey', table: 'items' },
  });
  expect(answers[7]?.rows).toEqual([
    ['1', null],
    ['2', 'two'],
  ]);
  expect(await bed.count('items')).toBe(2);
});

test('frames of one transaction run in the order in which they were sent, whatever their messages', async () => {
  session.send({ id: 1, transactionId: 1, begin: {} });
  for (const id of ids(2, 100)) {
    session.send({
      id,
      transactionId: 1,
      query: { sql: `insert into items select count(*) from items` },
    });
  }
  session.send({ id: 200, transactionId: 1, commit: {} });
  expect((await session.answer(200)).kind).toBe('commit');
  expect(await bed.sql(`select count(*)::int as n, max(id) as most from items`)).toEqual([
    { n: 100, most: 99 },
  ]);
});

describe('a Begin that fails runs nothing of what follows', () => {
  const following = (transactionId: number): ClientFrame[] => [
    { id: 2, transactionId, ...insert(1) },
    { id: 3, transactionId, batch: { statements: [{ sql: 'insert into items values (2)' }] } },
    { id: 4, transactionId, savepoint: { action: 'ACTION_SET', name: 's' } },
    { id: 5, transactionId, commit: {} },
  ];
  const bad: Record<string, [Begin, string]> = {
    'an unknown pool': [{ pool: 'nope' }, 'UNKNOWN_POOL'],
    'deferrable without read_only': [
      { isolation: 'ISOLATION_SERIALIZABLE', deferrable: true },
      'INVALID_REQUEST',
    ],
    'deferrable without SERIALIZABLE': [{ readOnly: true, deferrable: true }, 'INVALID_REQUEST'],
    'an isolation that nobody knows': [{ isolation: Number('99') as 3 }, 'INVALID_REQUEST'],
    'a timeout above the limit': [{ timeoutMs: 10_001 }, 'INVALID_REQUEST'],
    'an idle timeout above the limit': [{ idleTimeoutMs: 4_000_000_000 }, 'INVALID_REQUEST'],
  };
  test.for(Object.entries(bad))('%s', async ([, [begin, reason]]) => {
    session.send({ id: 1, transactionId: 1, begin }, ...following(1));
    const [begun, ...others] = await session.answers(...ids(1, 5));
    expect(begun?.failure?.reason).toBe(reason);
    for (const { kind, failure } of others) {
      expect(kind).toBe('error');
      expect(failure).toMatchObject({ status: 'NOT_FOUND', reason: 'UNKNOWN_TRANSACTION' });
    }
    expect(await bed.count('items')).toBe(0);
  });

  test('no transaction_id', async () => {
    expect((await session.ask({ begin: {} })).failure?.reason).toBe('INVALID_REQUEST');
  });

  test('a pool without a free connection', async () => {
    const holder = await bed.session();
    holder.send(...ids(1, 10).map((id) => ({ id, transactionId: id, begin: {} })));
    await holder.answers(...ids(1, 10));
    session.send({ id: 1, transactionId: 1, deadlineMs: 300, begin: {} }, ...following(1));
    const answers = await session.answers(...ids(1, 5));
    for (const { failure } of answers) {
      expect(failure).toMatchObject({
        status: 'RESOURCE_EXHAUSTED',
        reason: 'POOL_EXHAUSTED',
        metadata: { target: 'default', connections: '10' },
      });
      expect(failure?.metadata['queue_length']).toMatch(/^\d+$/);
      expect(failure?.retryAfterMs).toBeGreaterThan(0);
    }
    // Late frames of the same transaction are no autocommit either.
    const late = await session.ask({ transactionId: 1, ...insert(3) });
    expect(late.failure?.status).toMatch(/RESOURCE_EXHAUSTED|NOT_FOUND/);
    holder.close();
    await bed.poolWhole();
    expect(await bed.count('items')).toBe(0);
  });

  test('a BEGIN that the server refuses', async () => {
    await using proxy = await proxyTo(database.url);
    proxy.rule = ({ type, text, bytes }) =>
      type === 'Parse' && text.startsWith('BEGIN')
        ? { instead: Buffer.from(bytes.toString('latin1').replace('BEGIN', 'BEGIM'), 'latin1') }
        : undefined;
    await using behind = await TestBed.open(database.url, {
      sidecarUrl: proxy.through(database.url),
    });
    const other = await behind.session();
    other.send({ id: 1, transactionId: 1, begin: {} }, ...following(1));
    const [begun, ...others] = await other.answers(...ids(1, 5));
    expect(begun?.kind).toBe('begin');
    for (const { failure } of others) {
      expect(failure).toMatchObject({ reason: 'DATABASE_ERROR', metadata: { sqlstate: '42601' } });
    }
    expect(await bed.count('items')).toBe(0);
    await behind.poolWhole();
  });
});

test('ten transactions that hold the whole pool, and a thousand frames that wait for it: the Commits get through', async () => {
  session.send(...ids(1, 10).map((id) => ({ id, transactionId: id, begin: {} })));
  await session.answers(...ids(1, 10));
  session.send(...ids(100, 1_000).map((id) => ({ id, ...insert(id) })));
  await eventually(() =>
    expect(bed.sidecar.app.databases.named('default').pool.counts).toMatchObject({
      lent: 10,
      waiting: 1_000,
    }),
  );
  session.send(
    ...ids(1, 10).flatMap((id) => [
      { id: 20 + id, transactionId: id, ...insert(id) },
      { id: 40 + id, transactionId: id, commit: {} },
    ]),
  );
  const commits = await session.answers(...ids(41, 10));
  expect(commits.map(({ kind }) => kind)).toEqual(ids(1, 10).map(() => 'commit'));
  const waited = await session.answers(...ids(100, 1_000));
  expect(waited.filter(({ kind }) => kind === 'query')).toHaveLength(1_000);
  expect(await bed.count('items')).toBe(1_010);
});

describe('a transaction id', () => {
  test('that is still open is refused, and the open transaction goes on', async () => {
    session.send(
      { id: 1, transactionId: 5, begin: {} },
      { id: 2, transactionId: 5, ...insert(1) },
      { id: 3, transactionId: 5, begin: {} },
    );
    const [, , again] = await session.answers(1, 2, 3);
    expect(again?.failure).toMatchObject({
      status: 'ALREADY_EXISTS',
      reason: 'TRANSACTION_ID_IN_USE',
    });
    expect((await session.ask({ transactionId: 5, commit: {} })).kind).toBe('commit');
    expect(await bed.count('items')).toBe(1);
  });

  test('is free again after Commit and after Rollback, and means nothing in another session', async () => {
    const other = await bed.session();
    for (const end of [{ commit: {} }, { rollback: {} }, { commit: {} }]) {
      session.send(
        { id: 1, transactionId: 5, begin: {} },
        { id: 2, transactionId: 5, query: { sql: `select set_config('my.mark', 'mine', true)` } },
      );
      await session.answers(1, 2);
      const stranger = await other.ask({ transactionId: 5, query: { sql: 'select 1' } });
      expect(stranger.failure?.reason).toBe('UNKNOWN_TRANSACTION');
      expect((await session.ask({ transactionId: 5, ...end })).failure).toBeUndefined();
    }
    const after = await session.ask({ transactionId: 5, ...insert(1) });
    expect(after.failure?.reason).toBe('UNKNOWN_TRANSACTION');
    expect(await bed.count('items')).toBe(0);
  });

  test('that nobody began fails every kind of frame, and runs none', async () => {
    const frames: ClientFrame[] = [
      insert(1),
      { batch: { statements: [{ sql: 'insert into items values (2)' }] } },
      { fetch: { cursor: 'c' } },
      { savepoint: { action: 'ACTION_SET', name: 's' } },
      { commit: {} },
      { rollback: {} },
    ];
    for (const frame of frames) {
      const { failure } = await session.ask({ transactionId: 77, ...frame });
      expect(failure).toMatchObject({ status: 'NOT_FOUND', reason: 'UNKNOWN_TRANSACTION' });
      expect(failure?.message).toContain('nothing was run');
    }
    expect(await bed.count('items')).toBe(0);
  });
});

test('a number that is used again belongs to the newer transaction, whatever comes late for the older one', async () => {
  using session = await bed.session();
  await session.ask({ transactionId: 7, begin: { timeoutMs: 100 } });
  session.send(
    { id: 901, transactionId: 7, query: { sql: 'select pg_sleep(5)' } },
    { id: 902, transactionId: 7, commit: {} },
  );
  await session.transactionEnded(7);
  // Sent before the answers to the older one's frames.
  expect(await session.ask({ transactionId: 7, begin: {} })).toMatchObject({ failure: undefined });
  await session.answers(901, 902);
  expect(await session.ask({ transactionId: 7, query: { sql: 'select 1' } })).toMatchObject({
    failure: undefined,
  });
  session.halfClose();
  await session.ended;
  await bed.poolWhole();
});
