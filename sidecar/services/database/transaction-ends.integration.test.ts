import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Begin } from '../../../platform/gen/holdfast/v1/Begin.ts';
import type { ClientFrame } from '../../../platform/gen/holdfast/v1/ClientFrame.ts';
import { type FaultProxy, proxyTo } from '../../../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import type { RawSession } from '../../grpc/raw-session.test-kit.ts';
import { TestBed } from '../../grpc/test-bed.test-kit.ts';

/** How a transaction ends when nobody commits it, and what a Commit says when things go wrong. */

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
  await bed.sql(`create table items (id int primary key, name text);
                 create table later (id int unique deferrable initially deferred)`);
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  await bed.sql('truncate items, later');
  session = await bed.session();
});
afterEach(async () => {
  session.close();
  await bed.poolWhole();
});

const insert = (id: number): ClientFrame => ({
  transactionId: 1,
  query: { sql: `insert into items values (${id})` },
});

const begin = async (on = session, options: Begin = {}): Promise<void> => {
  on.send({ id: 1, transactionId: 1, begin: options }, { id: 2, ...insert(1) });
  for (const { failure } of await on.answers(1, 2)) expect(failure).toBeUndefined();
};

/** Every frame that comes late is told why, and none of them runs. */
async function expectLate(reason: string): Promise<void> {
  const late: ClientFrame[] = [
    insert(2),
    { transactionId: 1, batch: { statements: [{ sql: 'insert into items values (3)' }] } },
    { transactionId: 1, fetch: { cursor: 'c' } },
    { transactionId: 1, savepoint: { action: 'ACTION_SET', name: 's' } },
    { transactionId: 1, commit: {} },
    { transactionId: 1, rollback: {} },
  ];
  for (const frame of late) expect((await session.ask(frame)).failure).toMatchObject({ reason });
  await bed.poolWhole();
  expect(await bed.count('items')).toBe(0);
  expect(session.frames.filter(({ transactionEnded }) => transactionEnded)).toHaveLength(1);
}

const terminate = (): Promise<unknown> =>
  bed.sql(`select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'holdfast' and state <> 'idle'`);

describe('a transaction that nobody ended is rolled back, its session is told, and late frames fail with the reason', () => {
  test('because it took too long', async () => {
    await begin(session, { timeoutMs: 200 });
    expect(await session.transactionEnded(1)).toMatchObject({
      status: 'ABORTED',
      reason: 'TRANSACTION_TIMEOUT',
      metadata: { target: 'default' },
    });
    await expectLate('TRANSACTION_TIMEOUT');
  });

  test('because it took too long, with a statement under way', async () => {
    await begin(session, { timeoutMs: 200 });
    session.send(
      { id: 3, transactionId: 1, query: { sql: 'select pg_sleep(30)' } },
      { id: 4, ...insert(4) },
      { id: 5, transactionId: 1, commit: {} },
    );
    const startedMs = performance.now();
    for (const { failure } of await session.answers(3, 4, 5)) {
      expect(failure?.reason).toBe('TRANSACTION_TIMEOUT');
    }
    expect(performance.now() - startedMs).toBeLessThan(1_200);
    await expectLate('TRANSACTION_TIMEOUT');
  });

  test('because it was idle', async () => {
    await begin(session, { idleTimeoutMs: 100 });
    expect((await session.transactionEnded(1)).reason).toBe('IDLE_IN_TRANSACTION_TIMEOUT');
    await expectLate('IDLE_IN_TRANSACTION_TIMEOUT');
  });

  test('because it was idle from its Begin on', async () => {
    session.send({ id: 1, transactionId: 1, begin: { idleTimeoutMs: 100 } });
    expect((await session.transactionEnded(1)).reason).toBe('IDLE_IN_TRANSACTION_TIMEOUT');
    await expectLate('IDLE_IN_TRANSACTION_TIMEOUT');
  });

  test('because its connection was lost while it was idle', async () => {
    await begin();
    await terminate();
    expect(await session.transactionEnded(1)).toMatchObject({
      status: 'ABORTED',
      reason: 'TRANSACTION_ROLLED_BACK',
    });
    await expectLate('TRANSACTION_ROLLED_BACK');
  });

  test('because its connection was lost under a statement', async () => {
    await begin();
    session.send({ id: 3, transactionId: 1, query: { sql: 'select pg_sleep(30)' } });
    await sleep(100);
    await terminate();
    expect((await session.answer(3)).failure?.reason).toBe('TRANSACTION_ROLLED_BACK');
    expect((await session.transactionEnded(1)).reason).toBe('TRANSACTION_ROLLED_BACK');
    await expectLate('TRANSACTION_ROLLED_BACK');
  });

  test('but a transaction that is busy is not idle', async () => {
    await begin(session, { idleTimeoutMs: 150 });
    const slow = { transactionId: 1, query: { sql: 'select pg_sleep(0.3)' } };
    expect((await session.ask(slow)).kind).toBe('query');
    await sleep(50);
    expect((await session.ask(insert(2))).kind).toBe('query');
    expect((await session.ask({ transactionId: 1, commit: {} })).kind).toBe('commit');
    expect(await bed.count('items')).toBe(2);
  });

  test('while it still waits for its connection', async () => {
    const holder = await bed.session();
    const all = Array.from({ length: 10 }, (_, at) => at + 1);
    holder.send(...all.map((id) => ({ id, transactionId: id, begin: {} })));
    await holder.answers(...all);
    session.send({ id: 1, transactionId: 1, begin: { timeoutMs: 100 } }, { id: 2, ...insert(1) });
    expect((await session.transactionEnded(1)).reason).toBe('TRANSACTION_TIMEOUT');
    holder.close();
    for (const { failure } of await session.answers(1, 2)) {
      expect(failure?.reason).toBe('TRANSACTION_TIMEOUT');
    }
    await expectLate('TRANSACTION_TIMEOUT');
  });
});

test('an id that ended with a reason is free for a new transaction', async () => {
  await begin(session, { idleTimeoutMs: 50 });
  await session.transactionEnded(1);
  await begin();
  expect((await session.ask({ transactionId: 1, commit: {} })).kind).toBe('commit');
  expect(await bed.count('items')).toBe(1);
});

test('a thousand reasons are remembered, the oldest is forgotten first', async () => {
  for (let id = 1; id <= 1_001; id += 50) {
    const wave = Array.from({ length: Math.min(50, 1_002 - id) }, (_, at) => id + at);
    session.send(
      ...wave.map((each) => ({ id: each, transactionId: each, begin: { timeoutMs: 1 } })),
    );
    await Promise.all(wave.map((each) => session.transactionEnded(each)));
  }
  const reason = async (transactionId: number): Promise<string | undefined> =>
    (await session.ask({ transactionId, query: { sql: 'select 1' } })).failure?.reason;
  expect(await reason(1_001)).toBe('TRANSACTION_TIMEOUT');
  expect(await reason(2)).toBe('TRANSACTION_TIMEOUT');
  expect(await reason(1)).toBe('UNKNOWN_TRANSACTION');
});

describe('a Commit', () => {
  const commit = { id: 9, transactionId: 1, commit: {} };

  test('of a transaction in which a statement failed says that it was rolled back', async () => {
    await begin();
    expect((await session.ask(insert(1))).failure?.metadata['sqlstate']).toBe('23505');
    expect((await session.ask(insert(2))).failure?.metadata['sqlstate']).toBe('25P02');
    session.send(commit);
    expect((await session.answer(9)).failure).toMatchObject({
      status: 'ABORTED',
      reason: 'TRANSACTION_ROLLED_BACK',
    });
    expect(await bed.count('items')).toBe(0);
  });

  test('that a deferred constraint refuses says which', async () => {
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: 'insert into later values (1), (1)' } },
      commit,
    );
    expect((await session.answer(9)).failure).toMatchObject({
      status: 'ALREADY_EXISTS',
      metadata: { sqlstate: '23505', constraint: 'later_id_key' },
    });
    expect(await bed.count('later')).toBe(0);
  });

  test('of a transaction that ran nothing works', async () => {
    session.send({ id: 1, transactionId: 1, begin: {} }, commit);
    expect((await session.answer(9)).kind).toBe('commit');
  });

  /** A sidecar whose COMMITs never reach the server. */
  const behindProxy = async (use: (other: RawSession, proxy: FaultProxy) => Promise<void>) => {
    await using proxy = await proxyTo(database.url);
    proxy.rule = ({ from, text }) =>
      from === 'client' && text === 'COMMIT' ? { stall: true } : undefined;
    await using behind = await TestBed.open(database.url, {
      sidecarUrl: proxy.through(database.url),
    });
    const other = await behind.session();
    await use(other, proxy);
    proxy.cut();
    await behind.poolWhole();
  };

  test('whose connection is cut is asked of the server', async () => {
    await behindProxy(async (other, proxy) => {
      await begin(other);
      other.send(commit);
      await sleep(50);
      proxy.cut();
      // The COMMIT was held back for ever.
      expect((await other.answer(9)).failure).toMatchObject({
        status: 'ABORTED',
        reason: 'TRANSACTION_ROLLED_BACK',
      });
    });
  });

  test('of a transaction that only read, cut, changed nothing for certain', async () => {
    await behindProxy(async (other, proxy) => {
      other.send(
        { id: 1, transactionId: 1, begin: { readOnly: true } },
        { id: 2, transactionId: 1, query: { sql: 'select 1' } },
        commit,
      );
      await other.answer(2);
      await sleep(50);
      proxy.cut();
      expect((await other.answer(9)).failure?.reason).toBe('TRANSACTION_ROLLED_BACK');
    });
  });

  test('whose deadline passes says that nobody knows', async () => {
    await behindProxy(async (other) => {
      await begin(other);
      other.send({ ...commit, deadlineMs: 150 });
      expect((await other.answer(9)).failure?.reason).toBe('COMMIT_UNKNOWN');
    });
  });

  test('within its deadline works like one without', async () => {
    await begin();
    session.send({ ...commit, deadlineMs: 5_000 });
    expect((await session.answer(9)).kind).toBe('commit');
    expect(await bed.count('items')).toBe(1);
  });

  test('under way goes through although its session is gone', async () => {
    await bed.sql(`create or replace function linger() returns trigger language plpgsql as
                     $$ begin perform pg_sleep(0.3); return null; end $$;
                   create constraint trigger linger after insert on items
                     deferrable initially deferred for each row execute function linger()`);
    await begin();
    session.send(commit);
    await sleep(100);
    session.close();
    await bed.poolWhole();
    await bed.sql('drop trigger linger on items');
    expect(await bed.count('items')).toBe(1);
  });
});
