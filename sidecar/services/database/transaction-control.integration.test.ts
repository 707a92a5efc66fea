import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

/** SQL of a caller cannot end, begin or split a transaction behind the sidecar's back. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { max: 2 } } });
  await bed.sql(`
    create table items (id int);
    create procedure committing() language plpgsql as
      $$ begin insert into items values (100); commit; end $$;
    create procedure rolling_back() language plpgsql as $$ begin rollback; end $$;
    create function commits() returns int language plpgsql as $$ begin commit; return 1; end $$`);
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(() => bed.sql('truncate items'));

const refused = [
  'commit',
  'COMMIT WORK',
  'commit and chain',
  '/* x */ commit',
  '/* /* nested */ */commit',
  '-- x\ncommit',
  '-- x\rcommit',
  '-- x\r\ncommit',
  ';commit',
  ' ; ;\tcommit',
  '(commit)',
  "E'\\'' commit",
  'end',
  'rollback',
  'rollback to savepoint s',
  'abort',
  'begin',
  'start transaction',
  'savepoint s',
  'release savepoint s',
  `prepare transaction 'x'`,
  `commit prepared 'x'`,
  `rollback prepared 'x'`,
  'prepare p as select 1',
  'execute p',
  'deallocate all',
  'discard all',
  'listen events',
  'copy items to stdout',
  'copy items from stdin',
];

const failing = {
  'DO $$ begin commit; end $$': '2D000',
  'DO $$ begin rollback; end $$': '2D000',
  'call committing()': '2D000',
  'call rolling_back()': '2D000',
  'select commits()': '2D000',
  'select 1; commit': '42601',
  'insert into items values (3); commit; begin': '42601',
  '\ufeffcommit': '42601',
  '\u00a0commit': '42601',
  'explain analyze commit': '42601',
  '"commit"': '42601',
  '$$ commit $$': '42601',
};

describe('inside a transaction', () => {
  test.for(refused)('%j is refused, and the transaction is still there', async (sql) => {
    using session = await bed.session();
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: 'insert into items values (1)' } },
      { id: 3, transactionId: 1, query: { sql } },
      { id: 4, transactionId: 1, batch: { statements: [{ sql: 'select 1' }, { sql }] } },
    );
    const [, , query, batch] = await session.answers(1, 2, 3, 4);
    const reason = 'STATEMENT_REFUSED';
    expect(query?.failure).toMatchObject({ status: 'INVALID_ARGUMENT', reason });
    expect(batch?.failure).toMatchObject({ status: 'INVALID_ARGUMENT', reason });
    expect(await bed.count('items')).toBe(0);
    expect((await session.ask({ transactionId: 1, rollback: {} })).kind).toBe('rollback');
    expect(await bed.count('items')).toBe(0);
  });

  test.for(Object.entries(failing))('%j fails on the server', async ([sql, sqlstate]) => {
    using session = await bed.session();
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: 'insert into items values (1)' } },
      { id: 3, transactionId: 1, query: { sql } },
      { id: 4, transactionId: 1, commit: {} },
    );
    const [, , query, commit] = await session.answers(1, 2, 3, 4);
    expect(query?.failure?.metadata['sqlstate']).toBe(sqlstate);
    expect(commit?.failure?.reason).toBe('TRANSACTION_ROLLED_BACK');
    expect(await bed.count('items')).toBe(0);
  });

  test('the first statement cannot do it either', async () => {
    for (const sql of ['call committing()', 'DO $$ begin commit; end $$', 'select commits()']) {
      using session = await bed.session();
      session.send(
        { id: 1, transactionId: 1, begin: {} },
        { id: 2, transactionId: 1, query: { sql } },
      );
      const [, query] = await session.answers(1, 2);
      expect(query?.failure?.metadata['sqlstate']).toBe('2D000');
      expect((await session.ask({ transactionId: 1, commit: {} })).failure?.reason).toBe(
        'TRANSACTION_ROLLED_BACK',
      );
    }
    expect(await bed.count('items')).toBe(0);
  });

  test('a failing DO block leaves a savepoint to go back to', async () => {
    using session = await bed.session();
    const name = 'before "it"';
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: 'insert into items values (1)' } },
      { id: 3, transactionId: 1, savepoint: { action: 'ACTION_SET', name } },
      { id: 4, transactionId: 1, query: { sql: 'DO $$ begin commit; end $$' } },
      { id: 5, transactionId: 1, savepoint: { action: 'ACTION_ROLLBACK', name } },
      { id: 6, transactionId: 1, savepoint: { action: 'ACTION_RELEASE', name } },
      { id: 7, transactionId: 1, commit: {} },
    );
    expect((await session.answers(1, 2, 3, 4, 5, 6, 7)).map(({ kind }) => kind)).toEqual([
      'begin',
      'query',
      'savepoint',
      'error',
      'savepoint',
      'savepoint',
      'commit',
    ]);
    expect(await bed.count('items')).toBe(1);
  });
});

describe('outside a transaction', () => {
  test.for([
    ...refused,
    'set search_path = x',
    'reset all',
    'declare c cursor for select 1',
    'fetch c',
  ])('%j is refused, alone and in batches', async (sql) => {
    using stock = bed.stock();
    const refusal = { code: 3 };
    await expect(stock.query({ sql })).rejects.toMatchObject(refusal);
    const statements = [{ sql: 'insert into items values (1)' }, { sql }];
    await expect(stock.batch({ statements })).rejects.toMatchObject(refusal);
    expect(await bed.count('items')).toBe(0);
  });

  test('a batch that is all or nothing cannot be split by what it calls', async () => {
    using stock = bed.stock();
    const insert = { sql: 'insert into items values (1)' };
    for (const sql of ['call committing()', 'DO $$ begin commit; end $$']) {
      await expect(
        stock.batch({ atomic: true, statements: [insert, { sql }, insert] }),
      ).rejects.toMatchObject({ code: 9 });
    }
    expect(await bed.count('items')).toBe(0);
    await bed.poolWhole();
  });
});
