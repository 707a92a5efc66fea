import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { collectGarbage } from './collect-garbage.test-kit.ts';
import type { RawSession } from './raw-session.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** Answers that nobody reads take a bounded amount of memory, and all are there when the client reads again. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    postgres: { pool: { min: 4, max: 4, acquireTimeoutMs: 60_000 } },
  });
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

const megabytes = (count: number): { sql: string } => ({
  sql: `select repeat('x', 1000000) from generate_series(1, ${count})`,
});
const ids = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

/** Most memory that this process has taken on top, while nobody reads. */
async function growthMb(session: RawSession, ...frames: readonly ClientFrame[]): Promise<number> {
  collectGarbage();
  const residentMb = (): number => process.memoryUsage.rss() / 1e6;
  const beforeMb = residentMb();
  let mostMb = beforeMb;
  session.stopReading();
  session.send(...frames);
  for (let time = 0; time < 60; time += 1) {
    await sleep(25);
    mostMb = Math.max(mostMb, residentMb());
  }
  session.readOn();
  return mostMb - beforeMb;
}
// The client of the test is in this process too.
const mostMb = 220;

test('of many queries', async () => {
  const session = await bed.session();
  const all = ids(1, 25);
  expect(await growthMb(session, ...all.map((id) => ({ id, query: megabytes(15) })))).toBeLessThan(
    mostMb,
  );
  for (const { rows } of await session.answers(...all)) expect(rows).toHaveLength(15);
});

test('of many batches', async () => {
  const session = await bed.session();
  const all = ids(1, 25);
  const statements = Array.from({ length: 15 }, () => megabytes(1));
  expect(
    await growthMb(
      session,
      ...all.map((id) => ({ id, batch: { statements, atomic: id % 2 === 0 } })),
    ),
  ).toBeLessThan(mostMb);
  for (const { parts } of await session.answers(...all)) {
    expect(parts.flatMap(({ batch }) => batch?.results ?? [])).toHaveLength(15);
  }
});

test('of a transaction, whose Commit then comes through', async () => {
  const session = await bed.session();
  const all = ids(2, 25);
  expect(
    await growthMb(
      session,
      { id: 1, transactionId: 1, begin: {} },
      ...all.map((id) => ({ id, transactionId: 1, query: megabytes(15) })),
      { id: 100, transactionId: 1, commit: {} },
    ),
  ).toBeLessThan(mostMb);
  for (const { rows } of await session.answers(...all)) expect(rows).toHaveLength(15);
  expect((await session.answer(100)).kind).toBe('commit');
});

test('and none keeps a transaction beyond its time, or a call from being cancelled', async () => {
  const session = await bed.session();
  const all = ids(2, 20);
  const growth = growthMb(
    session,
    { id: 1, transactionId: 1, begin: { timeoutMs: 700 } },
    ...all.map((id) => ({ id, transactionId: 1, query: megabytes(15) })),
    ...ids(50, 20).map((id) => ({ id, deadlineMs: 700, query: megabytes(15) })),
  );
  await sleep(1_000);
  await bed.poolWhole(300);
  expect(await growth).toBeLessThan(mostMb);
  expect((await session.transactionEnded(1)).reason).toBe('TRANSACTION_TIMEOUT');
  const reasons = new Set(
    (await session.answers(...all, ...ids(50, 20))).map(({ failure }) => failure?.reason),
  );
  expect(reasons).toEqual(new Set([undefined, 'TRANSACTION_TIMEOUT', 'DEADLINE_EXCEEDED']));
});
