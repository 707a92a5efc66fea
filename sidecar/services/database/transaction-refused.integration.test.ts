import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientFrame } from '../../../platform/gen/holdfast/v1/ClientFrame.ts';
import type { TransactionRequest } from '../../../platform/gen/holdfast/v1/TransactionRequest.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { failureOf } from '../../grpc/failure.test-kit.ts';
import type { RawSession } from '../../grpc/raw-session.test-kit.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

/** A Commit that was sent along with the rest commits all of it or nothing, wherever a statement failed. */

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    postgres: { pool: { max: 2 } },
    env: { HOLDFAST_SESSION_MAX_IN_FLIGHT: '8' },
  });
  await bed.sql('create table items (id int primary key)');
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
  query: { sql: `insert into items values (${id})` },
});
const rolledBack = { status: 'ABORTED', reason: 'TRANSACTION_ROLLED_BACK' };

const refused: Record<string, ClientFrame> = {
  'a request that makes no sense': { query: { sql: '' } },
  'a parameter that cannot be': { query: { sql: 'select $1::text', params: [{ text: '\0' }] } },
  'a statement that is refused': { query: { sql: 'commit' } },
  'a batch with a statement that is refused': { batch: { statements: [{ sql: 'begin' }] } },
  'an empty batch': { batch: {} },
  'a savepoint without a name': { savepoint: { action: 'ACTION_SET' } },
  'a fetch of too many rows': { fetch: { cursor: 'c', maxRows: 1_000_000 } },
  'another pool': { query: { sql: 'select 1', pool: 'nope' } },
  'a page of a table that is not there': { page: { table: 'nope' } },
  'a statement that fails': { query: { sql: 'select 1/0' } },
};

describe('nothing is committed behind', () => {
  test.for(Object.entries(refused))('%s', async ([, frame]) => {
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, ...insert(1) },
      { id: 3, transactionId: 1, ...frame },
      { id: 4, transactionId: 1, ...insert(2) },
      { id: 5, transactionId: 1, commit: {} },
    );
    const [, , failed, , commit] = await session.answers(1, 2, 3, 4, 5);
    expect(failed?.kind).toBe('error');
    expect(commit?.failure).toMatchObject(rolledBack);
    expect(await bed.count('items')).toBe(0);
  });

  const conversational = Object.entries(refused).filter(([, { page }]) => page === undefined);
  test.for(conversational)('%s, in a conversation', async ([, frame]) => {
    using stock = bed.stock();
    const transaction = stock.transaction();
    const requests = [{ begin: {} }, insert(1), frame, insert(2), { commit: {} }];
    for (const request of requests) transaction.send(request as TransactionRequest);
    const answers = [];
    for (const _ of requests) answers.push(await transaction.answer());
    expect(answers[2]?.response).toBe('error');
    expect(answers[4]?.error && failureOf(answers[4].error)).toMatchObject(rolledBack);
    expect(await bed.count('items')).toBe(0);
  });

  test('a statement that comes first of all', async () => {
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: '' } },
      { id: 3, transactionId: 1, commit: {} },
    );
    expect((await session.answer(3)).failure).toMatchObject(rolledBack);
  });

  test('a frame that the limits of the session refuse', async () => {
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      ...[2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((id) => ({ id, transactionId: 1, ...insert(id) })),
      { id: 12, transactionId: 1, commit: {} },
    );
    expect((await session.answer(11)).failure?.reason).toBe('SESSION_LIMIT');
    expect((await session.answer(12)).failure).toMatchObject(rolledBack);
    expect(await bed.count('items')).toBe(0);
  });

  test('a frame that was cancelled, or whose deadline passed, before its turn came', async () => {
    for (const end of ['cancel', 'deadline']) {
      session.send(
        { id: 1, transactionId: 1, begin: {} },
        {
          id: 2,
          transactionId: 1,
          query: { sql: 'insert into items select 1 from pg_sleep(0.2)' },
        },
        { id: 3, transactionId: 1, deadlineMs: end === 'deadline' ? 50 : 0, ...insert(3) },
        { id: 4, transactionId: 1, commit: {} },
      );
      await sleep(30);
      if (end === 'cancel') session.send({ id: 5, cancel: { id: 3 } });
      const [, second, third, commit] = await session.answers(1, 2, 3, 4);
      expect(second?.kind).toBe('query');
      expect(third?.failure?.reason).toBe(end === 'cancel' ? 'CANCELLED' : 'DEADLINE_EXCEEDED');
      expect(commit?.failure).toMatchObject(rolledBack);
      expect(await bed.count('items')).toBe(0);
    }
  });
});

test('going back to a savepoint from before the failure makes up for it', async () => {
  const savepoint = (action: 'ACTION_SET' | 'ACTION_ROLLBACK') => ({
    savepoint: { action, name: 's' },
  });
  session.send(
    { id: 1, transactionId: 1, begin: {} },
    { id: 2, transactionId: 1, ...insert(1) },
    { id: 3, transactionId: 1, ...savepoint('ACTION_SET') },
    { id: 4, transactionId: 1, ...insert(2) },
    { id: 5, transactionId: 1, query: { sql: '' } },
    { id: 6, transactionId: 1, ...savepoint('ACTION_ROLLBACK') },
    { id: 7, transactionId: 1, commit: {} },
  );
  const kinds = (await session.answers(1, 2, 3, 4, 5, 6, 7)).map(({ kind }) => kind);
  expect(kinds.slice(3)).toEqual(['query', 'error', 'savepoint', 'commit']);
  expect(await bed.sql('select id from items')).toEqual([{ id: 1 }]);
});

test('a transaction in which something failed can be read on, and rolled back', async () => {
  session.send(
    { id: 1, transactionId: 1, begin: {} },
    { id: 2, transactionId: 1, ...insert(1) },
    { id: 3, transactionId: 1, query: { sql: 'commit' } },
    { id: 4, transactionId: 1, query: { sql: 'table items' } },
    { id: 5, transactionId: 1, rollback: {} },
  );
  const [, , , rows, end] = await session.answers(1, 2, 3, 4, 5);
  expect(rows?.rows).toEqual([['1']]);
  expect(end?.kind).toBe('rollback');
});
