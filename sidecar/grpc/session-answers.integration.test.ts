import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { loadMessages } from '../../platform/grpc/contract.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** How large answers travel, and what a session lets in. */

const partBytes = 256 * 1024;
const serverFrame = loadMessages().lookupType('holdfast.v1.ServerFrame');

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    env: {
      HOLDFAST_SESSION_MAX_IN_FLIGHT: '8',
      HOLDFAST_SESSION_MAX_BYTES: '65536',
      HOLDFAST_MAX_MESSAGE_BYTES: String(2 * 1024 * 1024),
    },
  });
  await bed.sql('create table items (id int)');
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

const ids = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

describe('an answer over 256 KiB', () => {
  const large = `select i, repeat(i::text, 1000) from generate_series(1, 1000) i`;

  test('comes in parts between two rows, that merge to the whole', async () => {
    const { rows, parts } = await session.ask({ query: { sql: large } });
    expect(rows).toEqual(ids(1, 1_000).map((id) => [String(id), String(id).repeat(1_000)]));
    expect(parts.length).toBeGreaterThan(8);
    expect(parts.map(({ more }) => more)).toEqual(parts.map((_, at) => at < parts.length - 1));
    for (const part of parts) {
      const bytes = serverFrame.encode(serverFrame.fromObject(part)).finish().length;
      expect(bytes).toBeLessThan(partBytes + 10_000);
      expect(part.query?.columns).toHaveLength(part === parts[0] ? 2 : 0);
      expect(part.query?.command).toBe(part === parts.at(-1) ? 'SELECT' : '');
    }
    expect(parts.at(-1)?.query?.rowsAffected).toBe('1000');
  });

  test('of a batch is cut between results', async () => {
    const statements = ids(1, 5).map((id) => ({ sql: `select repeat('${id}', 200000)` }));
    const { parts } = await session.ask({ batch: { statements } });
    expect(parts.length).toBeGreaterThan(1);
    const results = parts.flatMap(({ batch }) => batch?.results ?? []);
    expect(results.map(({ result }) => result?.rows[0]?.cells[0]?.text?.[0])).toEqual(
      ids(1, 5).map(String),
    );
  });

  test('lets the answers of its neighbours pass between its parts', async () => {
    session.stopReading();
    const fifteenMegabytes = `select repeat('x', 100000) from generate_series(1, 150)`;
    session.send({ id: 1, query: { sql: fifteenMegabytes } });
    await sleep(300);
    session.send(...ids(2, 5).map((id) => ({ id, query: { sql: 'select 1' } })));
    await sleep(100);
    session.readOn();
    const [whole] = await session.answers(1, 2, 3, 4, 5, 6);
    expect(whole?.rows).toHaveLength(150);
    const order = session.frames.map(({ id }) => id);
    for (const id of ids(2, 5)) {
      expect(order.indexOf(id)).toBeGreaterThan(order.indexOf(1));
      expect(order.indexOf(id)).toBeLessThan(order.lastIndexOf(1));
    }
  });

  test('takes turns with other large ones', async () => {
    session.stopReading();
    const sql = `select repeat('x', 100000) from generate_series(1, 80)`;
    session.send({ id: 1, query: { sql } });
    await sleep(300);
    session.send({ id: 2, query: { sql } });
    await sleep(300);
    session.readOn();
    for (const { rows } of await session.answers(1, 2)) expect(rows).toHaveLength(80);
    const order = session.frames.map(({ id }) => id);
    expect(order.indexOf(2)).toBeLessThan(order.lastIndexOf(1));
  });

  test('and no message is larger than a stock client takes', async () => {
    const statements = ids(1, 8).map((id) => ({ sql: `select repeat('${id}', 250000)` }));
    session.send(
      ...ids(1, 6).map((id) => ({ id, batch: { statements } })),
      ...ids(7, 2).map((id) => ({ id, query: { sql: `select repeat('x', 200000)` } })),
    );
    await session.answers(...ids(1, 8));
    for (const message of session.messages) {
      const bytes = message.reduce(
        (sum, frame) => sum + serverFrame.encode(serverFrame.fromObject(frame)).finish().length,
        0,
      );
      expect(bytes).toBeLessThan(1024 * 1024);
    }
  });
});

describe('a frame beyond the limits is refused, and only that frame', () => {
  const refused = { status: 'RESOURCE_EXHAUSTED', reason: 'SESSION_LIMIT' };
  const pending = (id: number): ClientFrame => ({ id, query: { sql: 'select pg_sleep(0.3)' } });

  test('of calls in flight, but Commit, Rollback and Cancel pass', async () => {
    session.send(
      { id: 101, transactionId: 1, begin: {} },
      { id: 102, transactionId: 1, query: { sql: 'insert into items values (1)' } },
      { id: 103, transactionId: 2, begin: {} },
    );
    await session.answers(101, 102, 103);
    session.send(...ids(1, 10).map(pending));
    for (const { failure } of await session.answers(9, 10)) {
      expect(failure).toMatchObject(refused);
      expect(failure?.message).toContain('8 calls');
      expect(failure?.retryAfterMs).toBeGreaterThan(0);
    }
    session.send(
      { id: 104, transactionId: 1, commit: {} },
      { id: 105, transactionId: 2, rollback: {} },
      { id: 106, cancel: { id: 1 } },
    );
    const kinds = (await session.answers(104, 105, 106, 1)).map(({ kind }) => kind);
    expect(kinds).toEqual(['commit', 'rollback', 'cancel', 'error']);
    for (const { kind } of await session.answers(...ids(2, 7))) expect(kind).toBe('query');
    expect(await bed.count('items')).toBe(1);
    expect(await session.rows('select 1')).toEqual([['1']]);
  });

  test('of bytes in flight', async () => {
    const long = `select pg_sleep(0.3) -- ${'x'.repeat(40_000)}`;
    session.send({ id: 1, query: { sql: long } }, { id: 2, query: { sql: long } }, pending(3));
    const [first, second, third] = await session.answers(1, 2, 3);
    expect([first?.kind, second?.failure, third?.kind]).toMatchObject(['query', refused, 'query']);
    expect(second?.failure?.message).toContain('65536 bytes');
    expect((await session.ask({ query: { sql: long } })).kind).toBe('query');
  });

  test('of one frame that is larger than all that may be in flight', async () => {
    const { failure } = await session.ask({ query: { sql: 'x'.repeat(100_000) } });
    expect(failure).toMatchObject(refused);
  });

  test('but a message over the limit ends the session, and rolls its transactions back', async () => {
    const other = await bed.session();
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: 'insert into items values (1)' } },
    );
    await session.answers(1, 2);
    session.send({ id: 3, query: { sql: 'x'.repeat(3 * 1024 * 1024) } });
    expect(await session.ended).toMatchObject({ status: 'RESOURCE_EXHAUSTED' });
    await bed.poolWhole();
    expect(await bed.count('items')).toBe(0);
    expect(await other.rows('select 1')).toEqual([['1']]);
  });
});
