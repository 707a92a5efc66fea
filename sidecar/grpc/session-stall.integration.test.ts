import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import { eventually, TestBed } from './test-bed.test-kit.ts';

/** A client that does not read what it asked for. */

const stallMs = 1_000;

let database: TestDatabase;
let bed: TestBed;
let session: RawSession;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    env: { HOLDFAST_SESSION_STALL_MS: String(stallMs) },
  });
  await bed.sql('create table items (id int)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  session = await bed.session();
});
afterEach(async () => {
  session.close();
  await bed.poolWhole();
});

const stalled = { status: 'RESOURCE_EXHAUSTED', reason: 'SESSION_STALLED' };
const megabytes = (count: number): { sql: string } => ({
  sql: `select repeat('x', 1000000) from generate_series(1, ${count})`,
});
const ids = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

/** Until the sidecar has given all sessions up but so many: only it knows when a client that reads nothing has lost its own. */
const sessionsLeft = (count: number): Promise<void> =>
  eventually(async () => {
    const metrics = await fetch(`http://127.0.0.1:${bed.sidecar.app.httpPort}/metrics`);
    expect(await metrics.text()).toContain(`holdfast_sessions_open ${count}\n`);
  }, 15_000);

test('a session whose client stops reading ends with a reason, its transactions roll back, and others go on', async () => {
  const other = await bed.session();
  session.send(
    { id: 1, transactionId: 1, begin: {} },
    { id: 2, transactionId: 1, query: { sql: 'insert into items values (1)' } },
  );
  await session.answers(1, 2);
  session.stopReading();
  // The client's own buffers take a few megabytes.
  session.send(...ids(3, 4).map((id) => ({ id, query: megabytes(15) })));
  const gone = sessionsLeft(1);
  for (let time = 0; time < 100; time += 1) {
    expect(await other.rows('select 1')).toEqual([['1']]);
    await sleep(5);
  }
  await gone;
  await bed.poolWhole();
  expect(await bed.count('items')).toBe(0);
  session.readOn();
  expect(await session.ended).toMatchObject(stalled);
  other.close();
});

test('a client that closed its half and reads nothing is no exception', async () => {
  session.stopReading();
  session.send(...ids(1, 4).map((id) => ({ id, query: megabytes(15) })));
  session.halfClose();
  await sessionsLeft(0); // all is answered, and waits to be read
  await sleep(stallMs + 500);
  session.readOn();
  expect(await session.ended).toMatchObject(stalled);
});

test('a client that reads slowly, but reads, keeps its session', async () => {
  session.send(...ids(1, 3).map((id) => ({ id, query: megabytes(12) })));
  for (let time = 0; time < 6; time += 1) {
    session.stopReading();
    await sleep(stallMs / 2);
    session.readOn();
    await sleep(2);
  }
  for (const { rows } of await session.answers(1, 2, 3)) expect(rows).toHaveLength(12);
});

test('a client that asks for nothing has nothing to read', async () => {
  await sleep(2 * stallMs);
  expect(await session.rows('select 1')).toEqual([['1']]);
  session.stopReading();
  await sleep(2 * stallMs);
  session.readOn();
  expect(await session.rows('select 1')).toEqual([['1']]);
});
