import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { version } from '../../platform/version.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import { eventually, TestBed } from './test-bed.test-kit.ts';

/** What session.proto promises of ids, order, half-close and cancels. */

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { max: 4 } } });
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

const insert = (id: number): { query: { sql: string } } => ({
  query: { sql: `insert into items values (${id})` },
});

test('the first frame says what the session allows', () => {
  expect(session.messages[0]).toHaveLength(1);
  expect(session.frames[0]).toMatchObject({
    id: 0,
    more: false,
    response: 'info',
    info: {
      maxInFlight: 12_000,
      maxInFlightBytes: String(64 * 1024 * 1024),
      maxMessageBytes: 64 * 1024 * 1024,
      stallMs: 30_000,
      version,
    },
  });
});

test('answers that are ready in one turn come in one message', async () => {
  const ids = Array.from({ length: 50 }, (_, at) => at + 1);
  session.send(...ids.map((id) => ({ id, cancel: { id: 999 } })));
  await session.answers(...ids);
  expect(session.messages).toHaveLength(2);
  const [, answers] = session.messages;
  expect(answers?.map(({ id, response }) => [id, response])).toEqual(
    ids.map((id) => [id, 'cancel']),
  );
});

test('a frame without deadline, priority or trace and one with all three are answered', async () => {
  const [plain, full] = [
    await session.ask({ query: { sql: 'select 1' } }),
    await session.ask({
      query: { sql: 'select 1' },
      deadlineMs: 5_000,
      priority: 'PRIORITY_HIGH',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }),
  ];
  expect([plain.rows, full.rows]).toEqual([[['1']], [['1']]]);
});

describe('half-close', () => {
  test('answers everything that was sent, a Commit included, and then rolls open transactions back', async () => {
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: 'insert into items select 1 from pg_sleep(0.2)' } },
      { id: 3, transactionId: 1, commit: {} },
      { id: 4, transactionId: 2, begin: {} },
      { id: 5, transactionId: 2, ...insert(2) },
      { id: 6, query: { sql: `select 'slow' from pg_sleep(0.3)` } },
    );
    session.halfClose();
    const kinds = (await session.answers(1, 2, 3, 4, 5, 6)).map(({ kind }) => kind);
    expect(kinds).toEqual(['begin', 'query', 'commit', 'begin', 'query', 'query']);
    expect(await session.ended).toMatchObject({ status: 'OK' });
    await bed.poolWhole();
    expect(await bed.sql('select id from items')).toEqual([{ id: 1 }]);
  });

  test('of a session that asked for nothing ends it', async () => {
    session.halfClose();
    expect(await session.ended).toMatchObject({ status: 'OK' });
  });
});

describe('a broken rule ends the session with a reason, and no other session', () => {
  const broken = {
    'the id 0': (bad: RawSession) => bad.send({ query: { sql: 'select 1' } }),
    'an id that is still in use': (bad: RawSession) =>
      bad.send(
        { id: 7, query: { sql: 'select pg_sleep(5)' } },
        { id: 7, query: { sql: 'select 1' } },
      ),
    'a message that is no ClientFrames': (bad: RawSession) =>
      bad.sendBytes(Buffer.from([0x0a, 0xff])),
    'a frame that is longer than its message': (bad: RawSession) =>
      bad.sendBytes(Buffer.from([0x0a, 0x05, 0x08])),
    'a field that is longer than its frame': (bad: RawSession) =>
      bad.sendBytes(Buffer.from([0x0a, 0x04, 0x08, 0x01, 0x32, 0x05, 1, 2, 3, 4, 5])),
    'a request that does not decode': (bad: RawSession) =>
      bad.sendBytes(Buffer.from([0x0a, 0x06, 0x08, 0x01, 0x32, 0x02, 0x0a, 0x7f])),
    'groups nested without end': (bad: RawSession) => bad.sendBytes(Buffer.alloc(100_000, 0x0b)),
  };
  test.for(Object.entries(broken))('%s', async ([, breakRule]) => {
    const other = await bed.session();
    const slow = other.ask({ query: { sql: `select 'other' from pg_sleep(0.1)` } });
    session.send({ id: 1, transactionId: 1, begin: {} }, { id: 2, transactionId: 1, ...insert(1) });
    await session.answers(1, 2);
    breakRule(session);
    expect(await session.ended).toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'SESSION_PROTOCOL',
      domain: 'holdfast.dev',
    });
    expect((await slow).rows).toEqual([['other']]);
    expect(await other.rows('select 1')).toEqual([['1']]);
    await bed.poolWhole();
    expect(await bed.count('items')).toBe(0);
  });

  test('what follows in the same message is not run', async () => {
    session.send({ id: 0, ...insert(1) }, { id: 1, ...insert(2) });
    await session.ended;
    await sleep(50);
    expect(await bed.count('items')).toBe(0);
  });
});

describe('a cancel', () => {
  const sleeping = async (): Promise<boolean> =>
    (await bed.backends()).some(
      ({ state, query }) => state === 'active' && query.includes('pg_sleep'),
    );
  const isSleeping = (): Promise<void> =>
    eventually(async () => {
      if (!(await sleeping())) throw new Error('the statement does not run yet');
    });

  test('ends a statement on the server within a second, and answers both frames', async () => {
    session.send({ id: 1, query: { sql: 'select pg_sleep(30)' } });
    await isSleeping();
    const startedMs = performance.now();
    session.send({ id: 2, cancel: { id: 1 } });
    const [statement, cancel] = await session.answers(1, 2);
    expect(statement?.failure).toMatchObject({ status: 'CANCELLED', reason: 'CANCELLED' });
    expect(cancel).toMatchObject({ kind: 'cancel', failure: undefined });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(await sleeping()).toBe(false);
  });

  test('of a frame that waits for a connection takes it out of the queue', async () => {
    const holders = [11, 12, 13, 14];
    session.send(...holders.map((id) => ({ id, transactionId: id, begin: {} })));
    await session.answers(...holders);
    session.send({ id: 1, ...insert(1) });
    await sleep(20);
    session.send({ id: 2, cancel: { id: 1 } });
    const [waiting] = await session.answers(1, 2);
    expect(waiting?.failure?.reason).toBe('CANCELLED');
    expect(bed.sidecar.app.databases.named('default').pool.counts.waiting).toBe(0);
    session.send(...holders.map((id) => ({ id, transactionId: id, rollback: {} })));
    await session.answers(...holders);
    expect(await bed.count('items')).toBe(0);
  });

  test('of an id that is not in flight is answered', async () => {
    expect(await session.ask({ cancel: { id: 4_711 } })).toMatchObject({
      kind: 'cancel',
      failure: undefined,
    });
    expect((await session.ask({ cancel: { id: 0 } })).kind).toBe('cancel');
  });

  test('of itself changes nothing', async () => {
    session.send({ id: 5, cancel: { id: 5 } });
    expect((await session.answer(5)).kind).toBe('cancel');
  });

  test('never cancels a Commit, nor a Rollback', async () => {
    await bed.sql(`create or replace function linger() returns trigger language plpgsql as
                     $$ begin perform pg_sleep(0.3); return null; end $$;
                   create constraint trigger linger after insert on items
                     deferrable initially deferred for each row execute function linger()`);
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, ...insert(1) },
      { id: 3, transactionId: 1, commit: {} },
    );
    await session.answers(1, 2);
    await sleep(100);
    session.send({ id: 4, cancel: { id: 3 } });
    expect((await session.answer(4)).kind).toBe('cancel');
    expect((await session.answer(3)).kind).toBe('commit');
    await bed.sql('drop trigger linger on items');
    expect(await bed.count('items')).toBe(1);

    session.send(
      { id: 5, transactionId: 1, begin: {} },
      { id: 6, transactionId: 1, query: { sql: 'select pg_sleep(0.1)' } },
      { id: 7, transactionId: 1, rollback: {} },
      { id: 8, cancel: { id: 7 } },
    );
    expect((await session.answers(5, 6, 7, 8)).map(({ kind }) => kind)).toEqual([
      'begin',
      'query',
      'rollback',
      'cancel',
    ]);
  });
});
